import { compactDuration } from '../std/go-duration.ts'
import { failed } from './refusal.ts'

/** What decides on a token's TTL (spec/auth.md 2.3). Whole seconds, 0 = unset; times in ms. */
export interface TtlRequest {
  /** Asked for at renewal. */
  readonly increment: number
  /** Proposed by the creator or the method. */
  readonly proposed: number
  readonly period: number
  /** Of the issuing role or method. */
  readonly maxTtl: number
  readonly explicitMaxTtl: number
  /** When the token was issued. */
  readonly issuedAt: number
  readonly now: number
  readonly mountDefault: number
  readonly mountMax: number
}

/** The TTL in seconds and what is to be said about it. Throws 500 `past the max TTL, cannot renew`. */
export const decideTtl = (
  request: TtlRequest,
): { readonly ttl: number; readonly warnings: readonly string[] } => {
  const { increment, proposed, maxTtl, explicitMaxTtl, issuedAt, now } = request
  const warnings: string[] = []
  let cap = request.mountMax
  if (maxTtl > 0) cap = Math.min(cap, maxTtl)
  if (explicitMaxTtl > 0) cap = Math.min(cap, explicitMaxTtl)
  let ttl: number
  let hardSeconds: number | undefined
  if (request.period > 0) {
    ttl = request.period
    if (ttl > cap) {
      warnings.push(
        `period of "${compactDuration(ttl)}" exceeded the effective max_ttl of "${compactDuration(cap)}"; period value is capped accordingly`,
      )
      ttl = cap
    }
    if (explicitMaxTtl > 0) hardSeconds = explicitMaxTtl
  } else {
    ttl = increment > 0 ? increment : proposed > 0 ? proposed : request.mountDefault
    hardSeconds = cap
  }
  if (hardSeconds !== undefined) {
    const remaining = hardSeconds - Math.floor((now - issuedAt) / 1000)
    if (remaining <= 0) throw failed('past the max TTL, cannot renew')
    if (ttl > remaining) {
      warnings.push(
        `TTL of "${compactDuration(ttl)}" exceeded the effective max_ttl of "${compactDuration(remaining)}"; TTL value is capped accordingly`,
      )
      ttl = remaining
    }
  }
  return { ttl, warnings }
}
