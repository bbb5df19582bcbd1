import type { JsonObject } from '../std/json.ts'

/** Where a request went, as audit entries name it. Made once per mount; immutable. */
export interface AuditMount {
  /** `secret/`, `auth/userpass/` */
  readonly point: string
  readonly type: string
  readonly accessor: string
  readonly class: 'auth' | 'secret'
  /** `v1.2.3+builtin.signet`; '' is left out. */
  readonly runningVersion: string
  /** Tuned `audit_non_hmac_request_keys` and `audit_non_hmac_response_keys`: leaves right under these stay clear. */
  readonly nonHmacRequestKeys: ReadonlySet<string>
  readonly nonHmacResponseKeys: ReadonlySet<string>
}

/** A header that the configuration wants audited (sys/config/auditing/request-headers). */
export interface AuditHeader {
  /** Lower case. */
  readonly name: string
  readonly values: readonly string[]
  readonly hmac: boolean
}

/** A request as its entries show it. Everything optional is left out of the entry when absent, '', 0 or empty. */
export interface AuditRequest {
  readonly id: string
  /** `read`, `create`, `update`, `delete`, `list`, `scan`, `patch`, `help` … */
  readonly operation: string
  /** Without `/v1/`, relative to the namespace. Stays clear. */
  readonly path: string
  readonly namespace: { readonly id: string; readonly path: string }
  /** Undefined where the path has no mount. */
  readonly mount?: AuditMount | undefined
  /** Who counts as the client: the entity's id, or a name made of the token. */
  readonly clientId?: string | undefined
  /** In the form that the client sent. */
  readonly clientToken?: string | undefined
  readonly clientTokenAccessor?: string | undefined
  readonly data?: JsonObject | undefined
  readonly policyOverride?: boolean | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly wrapTtlSeconds?: number | undefined
  readonly headers?: readonly AuditHeader[] | undefined
  readonly replicationCluster?: string | undefined
  /** Decimal. */
  readonly clientCertificateSerialNumber?: string | undefined
}

/** A policy that allowed a request. */
export interface AuditPolicy {
  readonly name: string
  readonly namespaceId: string
  readonly namespacePath: string
  /** '' where root needs none. */
  readonly type: 'acl' | ''
}

/** Who asks, or (in a response) who has just logged in. */
export interface AuditAuth {
  readonly clientToken?: string | undefined
  readonly accessor?: string | undefined
  readonly displayName?: string | undefined
  readonly policies?: readonly string[] | undefined
  readonly tokenPolicies?: readonly string[] | undefined
  readonly identityPolicies?: readonly string[] | undefined
  readonly externalNamespacePolicies?: Readonly<Record<string, readonly string[]>> | undefined
  readonly noDefaultPolicy?: boolean | undefined
  /** Not shown in a response's `auth`. */
  readonly policyResults?:
    | { readonly allowed: boolean; readonly grantingPolicies: readonly AuditPolicy[] }
    | undefined
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  readonly numUses?: number | undefined
  /** Not shown in a response's `auth`. */
  readonly remainingUses?: number | undefined
  readonly entityId?: string | undefined
  /** Signet's own: Vault names the entity by its id alone. */
  readonly entityName?: string | undefined
  readonly entityCreated?: boolean | undefined
  /** Absent: `default`, as where nobody is known. */
  readonly tokenType?: 'service' | 'batch' | 'default' | undefined
  readonly tokenTtlSeconds?: number | undefined
  /** Ms since 1970. */
  readonly tokenIssueTime?: number | undefined
}

/** What `wrap_info` says of a wrapped answer. */
export interface AuditWrapInfo {
  readonly ttlSeconds: number
  /** The token's id, also where the client gets it inside a JWT. */
  readonly token: string
  readonly accessor: string
  /** RFC 3339 with nanoseconds, as in the answer. */
  readonly creationTime: string
  readonly creationPath: string
  readonly wrappedAccessor?: string | undefined
}

/** The keys of a list; a number stands for as many that were not kept (architecture.md E1). */
export interface AuditList {
  readonly keys: readonly string[] | number
  readonly keyInfo?: JsonObject | number | undefined
}

/** An answer as its entry shows it. */
export interface AuditResponse {
  /** A login or a new token. */
  readonly auth?: AuditAuth | undefined
  readonly leaseId?: string | undefined
  /** Of a wrapped answer: absent. Of a failure with data: that data. */
  readonly data?: JsonObject | undefined
  /** Instead of `data`, on lists. */
  readonly list?: AuditList | undefined
  readonly warnings?: readonly string[] | undefined
  readonly redirect?: string | undefined
  readonly wrapInfo?: AuditWrapInfo | undefined
  readonly headers?: Readonly<Record<string, readonly string[]>> | undefined
}
