import type { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import type { Member } from '../../../std/json.ts'
import { OAuthError, invalidRequest, jsonAnswer } from './oauth-error.ts'

/** Every answer to a client (RFC 6749 5.1). */
const NEVER_KEPT = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

/** 200, not to be kept. */
export const clientAnswer = (members: readonly Member[]): RawResult =>
  jsonAnswer(200, members, NEVER_KEPT)

/** A "no" to a client. */
export const answerClientError = (error: OAuthError): RawResult =>
  jsonAnswer(error.status, error.members, {
    ...NEVER_KEPT,
    ...(error.code === 'invalid_client' ? { 'WWW-Authenticate': 'Basic' } : {}),
  })

/** Parameters that do not fit their type are told in OAuth's form, too. */
export const answerClientRefusal = (refusal: Refusal): RawResult | undefined =>
  refusal.kind === 'invalid' ? answerClientError(invalidRequest(refusal.message)) : undefined

/** A parameter whose values have no comma: forms join what is sent twice with one. Throws an OAuthError for that. */
export const single = (name: string, text: string): string => {
  if (text.includes(',')) throw invalidRequest(`${name} parameter was sent more than once`)
  return text
}
