import type { Call } from '../call.ts'

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
