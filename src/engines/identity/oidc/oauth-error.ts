import type { RawResult } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Member } from '../../../std/json.ts'
import { stringifyOrdered } from '../../../std/json.ts'

/** A "no" of authorize, token or userinfo, in OAuth's form (RFC 6749 4.1.2.1, 5.2). */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: string
  readonly status: number

  constructor(code: string, description: string, status = code === 'server_error' ? 500 : 400) {
    super(description)
    this.code = code
    this.status = status
  }

  /** The members of the answer. */
  get members(): readonly Member[] {
    return [
      ['error', this.code],
      ['error_description', this.message],
    ]
  }
}

/** `invalid_request` with this description. */
export const invalidRequest = (description: string): OAuthError =>
  new OAuthError('invalid_request', description)

/** `invalid_grant` with this description. */
export const invalidGrant = (description: string): OAuthError =>
  new OAuthError('invalid_grant', description)

/** `invalid_client`, 401, with this description. */
export const invalidClient = (description: string): OAuthError =>
  new OAuthError('invalid_client', description, 401)

/** Runs a handler and gives an OAuthError as `answer` makes it; everything else is thrown on. */
export const orOAuthError = async (
  run: () => Promise<RawResult>,
  answer: (error: OAuthError) => RawResult,
): Promise<RawResult> => {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return answer(error)
  }
}

/** A bare JSON answer of these members. */
export const jsonAnswer = (
  status: number,
  members: readonly Member[],
  headers?: Readonly<Record<string, string>>,
): RawResult => ({
  ...raw(status, stringifyOrdered(members)),
  ...(headers === undefined ? {} : { headers }),
})
