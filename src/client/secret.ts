import type { LiteralObject, LiteralValue } from './literal-json.ts'
import { isObject } from './literal-json.ts'

/** What a login or a token creation answers under `auth` (spec/auth.md 1.5). */
export type SecretAuth = {
  readonly clientToken: string
  readonly accessor: string
  /** Seconds; 0 means that the token never ends. */
  readonly leaseDuration: number
  readonly renewable: boolean
  readonly policies: readonly string[]
  readonly tokenPolicies: readonly string[]
  readonly identityPolicies: readonly string[]
  readonly metadata: LiteralObject
  readonly entityId: string
  readonly mfaRequirement: LiteralObject | undefined
  /** As it came, for the json format. */
  readonly whole: LiteralObject
}

/** What a wrapped answer has under `wrap_info` (spec/auth.md 4.1). */
export type SecretWrapInfo = {
  readonly token: string
  readonly accessor: string
  /** Seconds. */
  readonly ttl: number
  readonly creationTime: string
  readonly creationPath: string
  readonly wrappedAccessor: string
  readonly whole: LiteralObject
}

/** An answer of the API. `data` is undefined when the answer had none (or null). */
export type Secret = {
  readonly requestId: string
  readonly leaseId: string
  readonly leaseDuration: number
  readonly renewable: boolean
  readonly data: LiteralObject | undefined
  readonly warnings: readonly string[]
  readonly hints: readonly string[]
  readonly auth: SecretAuth | undefined
  readonly wrapInfo: SecretWrapInfo | undefined
}

/** Reads an answer's body; bare objects (`sys/health` and the like) count as `data`. */
export function secretFrom(body: LiteralObject): Secret {
  const enveloped = 'request_id' in body || 'data' in body || 'auth' in body
  const data = enveloped ? body['data'] : body
  return {
    requestId: text(body['request_id']),
    leaseId: text(body['lease_id']),
    leaseDuration: count(body['lease_duration']),
    renewable: body['renewable'] === true,
    data: isObject(data) ? data : undefined,
    warnings: texts(body['warnings']),
    hints: hintTexts(body['hints']),
    auth: isObject(body['auth']) ? authFrom(body['auth']) : undefined,
    wrapInfo: isObject(body['wrap_info']) ? wrapInfoFrom(body['wrap_info']) : undefined,
  }
}

function authFrom(auth: LiteralObject): SecretAuth {
  const mfa = auth['mfa_requirement']
  return {
    clientToken: text(auth['client_token']),
    accessor: text(auth['accessor']),
    leaseDuration: count(auth['lease_duration']),
    renewable: auth['renewable'] === true,
    policies: texts(auth['policies']),
    tokenPolicies: texts(auth['token_policies']),
    identityPolicies: texts(auth['identity_policies']),
    metadata: isObject(auth['metadata']) ? auth['metadata'] : {},
    entityId: text(auth['entity_id']),
    mfaRequirement: isObject(mfa) ? mfa : undefined,
    whole: auth,
  }
}

function wrapInfoFrom(wrap: LiteralObject): SecretWrapInfo {
  return {
    token: text(wrap['token']),
    accessor: text(wrap['accessor']),
    ttl: count(wrap['ttl']),
    creationTime: text(wrap['creation_time']),
    creationPath: text(wrap['creation_path']),
    wrappedAccessor: text(wrap['wrapped_accessor']),
    whole: wrap,
  }
}

/** A text member of an answer; '' when it is absent or something else. */
export function text(value: LiteralValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A number of an answer; 0 when it is absent or something else. */
export function count(value: LiteralValue | undefined): number {
  return typeof value === 'number' ? value : 0
}

/** A list of texts of an answer; empty when it is absent, null or something else. */
export function texts(value: LiteralValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function hintTexts(value: LiteralValue | undefined): string[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map((hint) => text(hint['text']))
}
