import type { Call } from '../call.ts'
import type { Names } from '../records.ts'
import { idText } from '../records.ts'

/** Where a session is ended. */
export type SessionScope = Pick<Call, 'names' | 'namespace' | 'now' | 'records'>

/** Sign-in sessions of people in browsers, as OIDC's logout needs them. */
export interface SessionPort {
  /**
   * Ends the sign-in session that a `sid` of ID tokens names, so that its cookie signs nobody in any more; nothing happens
   * when there is none (any more). Other sessions of the person go on.
   */
  end(scope: SessionScope, sid: string): Promise<void>
}

/** The `sid` that ID tokens have in a session with this service token, by the token's key (16 bytes). */
export const sidOfToken = (names: Names, tokenKey: Uint8Array): string =>
  Buffer.from(names.hash('oidc-session', idText(tokenKey))).toString('hex')
