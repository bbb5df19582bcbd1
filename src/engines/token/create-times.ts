import { invalid } from '../../engine/refusal.ts'
import { decideTtl } from '../../engine/ttl.ts'
import { DurationError, parseVaultDuration } from '../../std/go-duration.ts'
import type { CreateCall } from './create.ts'
import type { TokenRole } from './role-record.ts'

/** The durations of a new token. Seconds, 0 = unset. */
export interface Times {
  /** 0: it never expires. */
  readonly ttl: number
  /** As the request asked: what a role adds is looked up again at each renewal, and not shown. */
  readonly explicitMaxTtl: number
  readonly period: number
  readonly warnings: readonly string[]
}

/** What decides on them besides the request. */
export interface TimesWish {
  readonly type: 'service' | 'batch'
  readonly role: TokenRole | undefined
  /** Whether the token holds the policy `root`. */
  readonly root: boolean
  /** Whether its parent ends by itself. */
  readonly parentExpires: boolean
}

/** Decides how long a new token lives (spec/auth.md 2.4, 13 and 14). Throws the recorded Refusals. */
export const decideTimes = (call: CreateCall, wish: TimesWish): Times => {
  const { input, now, mount } = call
  const explicitMaxTtl = duration(input.explicit_max_ttl, 'explicit_max_ttl must be positive')
  const period = duration(input.period, 'period must be positive')
  if (period > 0 && !call.caller!.sudo) {
    throw invalid('root or sudo privileges required to create periodic token')
  }
  const asked =
    input.ttl === ''
      ? duration(input.lease, 'lease must be positive')
      : duration(input.ttl, 'ttl must be positive')
  const role = wish.type === 'service' ? wish.role : undefined
  const end = lesser('Explicit max TTL', explicitMaxTtl, role?.explicitMaxTtl ?? 0)
  const span = lesser('Period', period, role?.period ?? 0)
  const warnings = [...end.warnings, ...span.warnings]
  const proposed = wish.root && asked === 0 && end.seconds > 0 ? end.seconds : asked
  if (wish.root && proposed === 0 && span.seconds === 0) {
    if (wish.parentExpires) {
      throw invalid('expiring root tokens cannot create non-expiring root tokens')
    }
    return { ttl: 0, explicitMaxTtl, period, warnings }
  }
  const decided = decideTtl({
    increment: 0,
    proposed,
    period: span.seconds,
    maxTtl: 0,
    explicitMaxTtl: end.seconds,
    issuedAt: now,
    now,
    mountDefault: mount.defaultLeaseTtlSeconds,
    mountMax: mount.maxLeaseTtlSeconds,
  })
  return {
    ttl: decided.ttl,
    explicitMaxTtl,
    period,
    warnings: [...warnings, ...decided.warnings],
  }
}

/** The smaller of what the request asks and the role says, where both say something. */
const lesser = (
  what: string,
  asked: number,
  ofRole: number,
): { readonly seconds: number; readonly warnings: readonly string[] } => {
  if (asked === 0 || ofRole === 0) return { seconds: asked || ofRole, warnings: [] }
  const seconds = Math.min(asked, ofRole)
  const text = `${what} specified both during creation call and in role; using the lesser value of ${seconds} seconds`
  return { seconds, warnings: [text] }
}

const duration = (text: string, positive: string): number => {
  if (text === '') return 0
  let seconds: number
  try {
    seconds = parseVaultDuration(text, { signed: true })
  } catch (error) {
    if (error instanceof DurationError) throw invalid(error.message)
    throw error
  }
  if (seconds < 0) throw invalid(positive)
  return seconds
}
