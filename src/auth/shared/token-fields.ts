import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import { denied, invalid } from '../../engine/refusal.ts'
import type { TokenParameters } from '../../engine/result.ts'
import { cidrsContain, normalCidr } from '../../std/cidr.ts'
import { normalPolicies } from './policies.ts'

/** The ten parameters of the tokens a role, user or config makes (spec/auth.md 5): spread into a route's fields. */
export const tokenFields = {
  token_ttl: field.duration({
    description: 'First lifetime of a token; 0 = the default of the mount',
  }),
  token_max_ttl: field.duration({
    description: 'Longest lifetime of a token, renewals included; 0 = the maximum of the mount',
  }),
  token_explicit_max_ttl: field.duration({
    description: 'End of a token that no renewal moves, not even of a periodic one; 0 = none',
  }),
  token_period: field.duration({
    description: 'Makes periodic tokens: each renewal begins this lifetime anew; 0 = not periodic',
  }),
  token_policies: field.commaList({ description: 'Policies of the tokens' }),
  token_no_default_policy: field.bool({
    description: 'Leave the policy `default` out of the tokens',
  }),
  token_num_uses: field.int({ description: 'Requests a token is good for; 0 = unlimited' }),
  token_bound_cidrs: field.commaList({
    description: 'Addresses and blocks from which a token can be used; empty = any',
  }),
  token_type: field.string({ description: 'default, service or batch' }),
  token_strictly_bind_ip: field.bool({
    description: 'Bind each token to the address that logged in',
  }),
}

const twins = {
  policies: field.commaList({ description: 'Use token_policies', deprecated: true }),
  ttl: field.duration({ description: 'Use token_ttl', deprecated: true }),
  max_ttl: field.duration({ description: 'Use token_max_ttl', deprecated: true }),
  period: field.duration({ description: 'Use token_period', deprecated: true }),
  num_uses: field.int({ description: 'Use token_num_uses', deprecated: true }),
  bound_cidrs: field.commaList({ description: 'Use token_bound_cidrs', deprecated: true }),
}

/** The old name of a token field. */
export type Twin = keyof typeof twins

/** The deprecated twins a method has: spread into a route's fields beside `tokenFields`. */
export const twinFields = <K extends Twin>(...names: readonly K[]): Pick<typeof twins, K> =>
  Object.fromEntries(names.map((name) => [name, twins[name]])) as Pick<typeof twins, K>

/** Token parameters as a record keeps them. */
export interface TokenSettings {
  readonly parameters: TokenParameters
  /** Twins that the last write of their value named: reads show them. */
  readonly twins: readonly Twin[]
}

/** What a role or user has before anything was written. */
export const unsetTokenSettings: TokenSettings = {
  parameters: {
    ttl: 0,
    maxTtl: 0,
    explicitMaxTtl: 0,
    period: 0,
    policies: [],
    noDefaultPolicy: false,
    numUses: 0,
    boundCidrs: [],
    type: 'default',
    strictlyBindIp: false,
  },
  twins: [],
}

export type TokenInput = Partial<InputOf<typeof tokenFields & typeof twins>>

export interface ReadTokenSettings {
  readonly settings: TokenSettings
  readonly warnings: readonly string[]
}

/**
 * The settings after a write: what was sent over what was there. Throws the recorded refusals (400), in their order; `prefix`
 * goes before their texts. `adjustTypes`: `default-service` and `default-batch` are taken with a warning (approle) instead of
 * refused.
 */
export const readTokenFields = (
  input: TokenInput,
  previous: TokenSettings,
  options: { readonly adjustTypes?: boolean; readonly prefix?: string } = {},
): ReadTokenSettings => {
  const refuse = (text: string): never => {
    throw invalid(`${options.prefix ?? ''}${text}`)
  }
  const before = previous.parameters
  const warnings: string[] = []
  const parameters: TokenParameters = {
    ttl: input.token_ttl ?? before.ttl,
    maxTtl: input.token_max_ttl ?? before.maxTtl,
    explicitMaxTtl: input.token_explicit_max_ttl ?? before.explicitMaxTtl,
    period: input.token_period ?? before.period,
    policies: input.token_policies ?? before.policies,
    noDefaultPolicy: input.token_no_default_policy ?? before.noDefaultPolicy,
    numUses: input.token_num_uses ?? before.numUses,
    boundCidrs:
      input.token_bound_cidrs === undefined
        ? before.boundCidrs
        : normalCidrs(input.token_bound_cidrs, refuse),
    type:
      input.token_type === undefined
        ? before.type
        : tokenType(input.token_type, options.adjustTypes === true, warnings, refuse),
    strictlyBindIp: input.token_strictly_bind_ip ?? before.strictlyBindIp,
  }
  check(parameters, refuse)
  return { settings: withTwins(input, parameters, previous.twins, refuse), warnings }
}

type Refuse = (text: string) => never

const normalCidrs = (texts: readonly string[], refuse: Refuse): readonly string[] =>
  texts.map(
    (text) =>
      normalCidr(text) ??
      refuse(
        `error parsing address "${text}": Unable to convert "${text}" to an IPv4 or IPv6 address, or a UNIX Socket`,
      ),
  )

const tokenType = (
  text: string,
  adjust: boolean,
  warnings: string[],
  refuse: Refuse,
): TokenParameters['type'] => {
  switch (text) {
    case '':
    case 'default':
      return 'default'
    case 'service':
    case 'batch':
      return text
    case 'default-service':
    case 'default-batch': {
      if (!adjust) break
      const type = text === 'default-service' ? 'service' : 'batch'
      warnings.push(`${text} has no useful meaning; adjusting to ${type}`)
      return type
    }
  }
  return refuse(`invalid 'token_type' value "${text}"`)
}

const check = (parameters: TokenParameters, refuse: Refuse): void => {
  const { ttl, maxTtl, explicitMaxTtl, period, numUses, type } = parameters
  if (parameters.strictlyBindIp && parameters.boundCidrs.length > 0) {
    refuse("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one")
  }
  if (explicitMaxTtl < 0) refuse("'token_explicit_max_ttl' cannot be negative")
  if (maxTtl < 0) refuse("'token_max_ttl' cannot be negative")
  if (period < 0) refuse("'token_period' cannot be negative")
  if (numUses < 0) refuse("'token_num_uses' cannot be negative")
  if (type === 'batch' && period > 0) {
    refuse("'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens")
  }
  if (type === 'batch' && numUses > 0) {
    refuse(
      "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
    )
  }
  if (ttl < 0) refuse("'token_ttl' cannot be negative")
  if (ttl > 0 && maxTtl > 0 && ttl > maxTtl) {
    refuse("'token_ttl' cannot be greater than 'token_max_ttl'")
  }
}

/** Twins fill in where the new name was not sent, after the checks: the reference does not compare them (recorded). */
const withTwins = (
  input: TokenInput,
  checked: TokenParameters,
  shown: readonly Twin[],
  refuse: Refuse,
): TokenSettings => {
  const kept = new Set(shown)
  const take = <T>(twin: Twin, sent: T | undefined, newer: unknown, value: T): T => {
    if (sent !== undefined) kept.add(twin)
    else if (newer !== undefined) kept.delete(twin)
    return newer === undefined && sent !== undefined ? sent : value
  }
  // The old name normalises, the new one keeps policies as they were sent (recorded).
  const policies = input.policies === undefined ? undefined : normalPolicies(input.policies)
  const boundCidrs =
    input.bound_cidrs === undefined ? undefined : normalCidrs(input.bound_cidrs, refuse)
  if ((input.num_uses ?? 0) < 0) refuse("'num_uses' cannot be negative")
  const parameters: TokenParameters = {
    ...checked,
    policies: take('policies', policies, input.token_policies, checked.policies),
    ttl: take('ttl', input.ttl, input.token_ttl, checked.ttl),
    maxTtl: take('max_ttl', input.max_ttl, input.token_max_ttl, checked.maxTtl),
    period: take('period', input.period, input.token_period, checked.period),
    numUses: take('num_uses', input.num_uses, input.token_num_uses, checked.numUses),
    boundCidrs: take('bound_cidrs', boundCidrs, input.token_bound_cidrs, checked.boundCidrs),
  }
  return { parameters, twins: [...kept] }
}

/** What a read shows: the ten fields, and the twins last written unless their value is empty. */
export const shownTokenFields = (settings: TokenSettings): Readonly<Record<string, unknown>> => {
  const { parameters } = settings
  const shown: Record<string, unknown> = {
    token_bound_cidrs: parameters.boundCidrs,
    token_explicit_max_ttl: parameters.explicitMaxTtl,
    token_max_ttl: parameters.maxTtl,
    token_no_default_policy: parameters.noDefaultPolicy,
    token_num_uses: parameters.numUses,
    token_period: parameters.period,
    token_policies: parameters.policies,
    token_strictly_bind_ip: parameters.strictlyBindIp,
    token_ttl: parameters.ttl,
    token_type: parameters.type,
  }
  for (const twin of settings.twins) {
    const value = shown[`token_${twin}`]
    if (Array.isArray(value) ? value.length > 0 : value !== 0) shown[twin] = value
  }
  return shown
}

/** Refuses (403) a login from an address outside `token_bound_cidrs`. */
export const checkBoundCidrs = (parameters: TokenParameters, remoteAddress: string): void => {
  const { boundCidrs } = parameters
  if (boundCidrs.length > 0 && !cidrsContain(boundCidrs, remoteAddress)) throw denied()
}
