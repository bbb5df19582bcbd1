/** How many requests a client may make of a part of the server (spec/sys.md 8.1). */
export interface QuotaRule {
  readonly name: string
  /** Of the mount; '' for all requests. It follows a mount that moves. */
  readonly mountUuid: string
  /** What follows the mount's path: '' for all of it, one path, or with `*` at its end all that begin so. */
  readonly suffix: string
  /** Only logins to this role of the mount; '' for all requests. */
  readonly role: string
  /** Requests in an interval, more than 0; may have a fraction, which lets one more through. */
  readonly rate: number
  readonly intervalSeconds: number
  /** How long a client that asked for more is refused altogether; 0: until the interval ends. */
  readonly blockSeconds: number
  readonly inheritable: boolean
}

/** What holds for all rules. */
export interface QuotaConfig {
  readonly auditLogging: boolean
  readonly responseHeaders: boolean
  /** Paths that are never counted; with `*` at its end all that begin so. */
  readonly exemptPaths: readonly string[]
}

/** All there is; absent `config`: the defaults. */
export interface Quotas {
  readonly rules: readonly QuotaRule[]
  readonly config?: QuotaConfig
}

/** Until there are some. */
export const NO_QUOTAS: Quotas = { rules: [] }

/** Until it is set. */
export const DEFAULT_QUOTA_CONFIG: QuotaConfig = {
  auditLogging: false,
  responseHeaders: false,
  exemptPaths: [
    'sys/generate-recovery-token/attempt',
    'sys/generate-recovery-token/update',
    'sys/generate-root/attempt',
    'sys/generate-root/update',
    'sys/health',
    'sys/seal-status',
    'sys/unseal',
  ],
}
