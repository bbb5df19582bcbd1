import type { MountRecord } from '../engine/ports/mounts.ts'
import type { QuotaConfig, QuotaRule, Quotas } from '../engine/ports/quotas.ts'
import { DEFAULT_QUOTA_CONFIG } from '../engine/ports/quotas.ts'
import type { RateCounter } from './rate-counter.ts'

/** The rules of a mount. */
interface MountRules {
  readonly byRole: Map<string, QuotaRule>
  readonly byPath: Map<string, QuotaRule>
  /** By what paths begin with, the longest first. */
  readonly byStart: (readonly [string, QuotaRule])[]
  whole: QuotaRule | undefined
}

/** What became of a request that a rule counts. */
export interface Counted {
  readonly allowed: boolean
  /** Whether a refusal is to be in the audit log. */
  readonly audited: boolean
  /** Of the answer; none unless they are switched on. */
  readonly headers: Readonly<Record<string, string>>
}

/** A request as far as rules look at it. */
export interface CountedRequest {
  readonly path: string
  readonly remoteAddress: string
  readonly mount: MountRecord | undefined
  /** The role that it is a login to; asked only where a rule is for one. */
  readonly role: () => Promise<string | undefined>
}

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path

const seconds = (ms: number): string => String(Math.ceil(ms / 1_000))

const compile = (rules: readonly QuotaRule[]): ReadonlyMap<string, MountRules> => {
  const compiled = new Map<string, MountRules>()
  for (const rule of rules) {
    const { mountUuid, role, suffix } = rule
    let mount = compiled.get(mountUuid)
    if (mount === undefined) {
      mount = { byRole: new Map(), byPath: new Map(), byStart: [], whole: undefined }
      compiled.set(mountUuid, mount)
    }
    if (role !== '') mount.byRole.set(role, rule)
    else if (suffix === '') mount.whole = rule
    else if (suffix.endsWith('*')) mount.byStart.push([suffix.slice(0, -1), rule])
    else mount.byPath.set(suffix, rule)
  }
  for (const { byStart } of compiled.values()) byStart.sort(([a], [b]) => b.length - a.length)
  return compiled
}

/** How many requests each client may make (spec/sys.md 8.1): the most precise rule that fits a request counts it, and no other. */
export class RateLimits {
  readonly #counter: RateCounter
  #rules: ReadonlyMap<string, MountRules> = new Map()
  #config: QuotaConfig = DEFAULT_QUOTA_CONFIG

  constructor(counter: RateCounter) {
    this.#counter = counter
  }

  /** From now on these; counts of rules that stay as they are go on. */
  set({ rules, config = DEFAULT_QUOTA_CONFIG }: Quotas): void {
    this.#rules = compile(rules)
    this.#config = config
  }

  /** Whether anything is counted. */
  get on(): boolean {
    return this.#rules.size > 0
  }

  /** Counts a request; undefined where no rule fits. */
  async count(request: CountedRequest): Promise<Counted | undefined> {
    const { path, remoteAddress } = request
    const { auditLogging, exemptPaths, responseHeaders } = this.#config
    if (exemptPaths.some((exempt) => matches(exempt, path))) return undefined
    const rule = await this.#ruleFor(request)
    if (rule === undefined) return undefined
    const window = {
      most: Math.ceil(rule.rate),
      intervalMs: rule.intervalSeconds * 1_000,
      blockMs: rule.blockSeconds * 1_000,
    }
    const { most, intervalMs, blockMs } = window
    // A rule that was changed counts from the start.
    const key = `${rule.name} ${most} ${intervalMs} ${blockMs} ${remoteAddress}`
    const { allowed, left, resetMs } = await this.#counter.take(key, window)
    const headers = {
      'X-RateLimit-Limit': String(most),
      'X-RateLimit-Remaining': String(left),
      'X-RateLimit-Reset': seconds(resetMs),
      ...(!allowed && { 'Retry-After': seconds(resetMs) }),
    }
    return { allowed, audited: auditLogging, headers: responseHeaders ? headers : {} }
  }

  async #ruleFor({ mount, path, role }: CountedRequest): Promise<QuotaRule | undefined> {
    const own = mount === undefined ? undefined : this.#rules.get(mount.uuid)
    const general = this.#rules.get('')?.whole
    if (own === undefined) return general
    const login = own.byRole.size === 0 ? undefined : await role()
    const byRole = login === undefined ? undefined : own.byRole.get(login)
    if (byRole !== undefined) return byRole
    const rest = path.slice(mount!.path.length)
    const byStart = (): QuotaRule | undefined =>
      own.byStart.find(([start]) => rest.startsWith(start))?.[1]
    return own.byPath.get(rest) ?? byStart() ?? own.whole ?? general
  }
}
