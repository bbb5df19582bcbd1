import type { Call } from '../../engine/call.ts'
import type { LiveToken, TokenPort } from '../../engine/ports/tokens.ts'
import { denied, wrapped } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { shareJson } from '../../std/shared-json.ts'
import { scopeOf } from './create.ts'

const time = (at: number): string => new Date(at).toISOString()

/** What a lookup tells of a token (spec/auth.md 2.5); `id` is the token's text as it was given, '' for accessors. */
export const describeToken = async (
  call: Call<unknown>,
  tokens: TokenPort,
  token: LiveToken,
  id: string,
): Promise<DataResult> => {
  const { entityId } = token.record
  const policies = await tokens.identityPolicies(call.records, scopeOf(call), entityId)
  return data(descriptionOf(token, id, ttlOf(call, token), policies))
}

/** Seconds left; 0 for a token that does not end. */
const ttlOf = ({ now }: Call<unknown>, { record }: LiveToken): number =>
  record.expiresAt === undefined ? 0 : Math.max(0, Math.round((record.expiresAt - now) / 1000))

const descriptionOf = (
  token: LiveToken,
  id: string,
  ttl: number,
  identityPolicies: readonly string[],
): Readonly<Record<string, unknown>> => {
  const { record } = token
  const seconds = (at: number): number => Math.floor(at / 1000)
  return {
    accessor: record.accessor,
    creation_time: seconds(record.createdAt),
    creation_ttl: record.creationTtl,
    display_name: record.displayName,
    entity_id: record.entityId,
    expire_time: record.expiresAt === undefined ? null : time(record.expiresAt),
    explicit_max_ttl: record.explicitMaxTtl,
    id,
    meta: record.meta,
    num_uses: token.usesLeft,
    orphan: token.orphan,
    path: record.path,
    policies: record.policies,
    ttl,
    type: token.type,
    ...(record.period > 0 ? { period: record.period } : {}),
    ...(record.role === '' ? {} : { role: record.role }),
    ...(record.boundCidrs.length > 0 ? { bound_cidrs: record.boundCidrs } : {}),
    ...(record.leased && record.wrapping === undefined
      ? { renewable: record.renewable, issue_time: time(record.createdAt) }
      : record.leased
        ? { issue_time: time(record.createdAt), renewable: record.renewable }
        : {}),
    ...(record.renewedAt === undefined
      ? {}
      : { last_renewal: time(record.renewedAt), last_renewal_time: seconds(record.renewedAt) }),
    ...(identityPolicies.length > 0
      ? { identity_policies: identityPolicies, external_namespace_policies: {} }
      : {}),
  }
}

/** What callers were last told of their own tokens: the same within a second, as long as nothing that they rest on changes. */
const described = new WeakMap<
  LiveToken,
  {
    readonly id: string
    readonly ttl: number
    readonly description: Readonly<Record<string, unknown>>
  }
>()

/** The caller's own token, as it was when the request was let in. */
export const describeOwn = (call: Call<unknown>, tokens: TokenPort): DataResult => {
  // It is in no table.
  if (call.caller!.passing) throw denied('bad token')
  const token = tokens.ofCaller(call.caller!)
  const id = tokens.textOfCaller(call.caller!)
  const ttl = ttlOf(call, token)
  const before = described.get(token)
  if (before?.ttl === ttl && before.id === id) return data(before.description)
  const policies = tokens.identityPoliciesOfCaller(call.caller!)
  const description = shareJson(descriptionOf(token, id, ttl, policies))
  described.set(token, { id, ttl, description })
  return data(description)
}

/** Whether a text is the caller's own token, whose last use may be being spent on this very request: found it would be dead. */
const isOwn = (call: Call<unknown>, tokens: TokenPort, text: string): boolean =>
  !call.caller!.passing && text === tokens.textOfCaller(call.caller!)

/** A live token by its text. */
export const findToken = async (
  call: Call<unknown>,
  tokens: TokenPort,
  text: string,
): Promise<LiveToken | undefined> =>
  isOwn(call, tokens, text)
    ? tokens.ofCaller(call.caller!)
    : tokens.find(call.records, scopeOf(call), text)

/** What is shown of a token, by its text. Throws 403 `bad token`. */
export const lookupToken = async (
  call: Call<unknown>,
  tokens: TokenPort,
  text: string,
): Promise<DataResult> => {
  if (isOwn(call, tokens, text)) return describeOwn(call, tokens)
  const found = await tokens.find(call.records, scopeOf(call), text)
  if (found === undefined) throw denied('bad token')
  return describeToken(call, tokens, found, text)
}

/** A live token by accessor. Throws the recorded Refusals. */
export const findAccessor = async (
  call: Call<unknown>,
  tokens: TokenPort,
  accessor: string,
): Promise<LiveToken> => {
  if (accessor === '') throw wrapped('invalid', 'missing accessor')
  const found = await tokens.findByAccessor(call.records, scopeOf(call), accessor)
  if (found === undefined) throw wrapped('invalid', 'invalid accessor')
  return found
}
