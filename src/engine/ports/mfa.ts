import type { Call, Mount } from '../call.ts'
import type { Reader, Records, Tx } from '../records.ts'

/** A method that can satisfy a constraint, as the answer to a login names it. */
export interface MfaMethodView {
  readonly id: string
  readonly type: 'totp' | 'okta' | 'duo' | 'pingid'
  /** '' for none. */
  readonly name: string
  readonly usesPasscode: boolean
  /** Whether this login may give its entity, which holds no secret yet, a secret for the method. */
  readonly selfEnrollment: boolean
}

/** An enforcement that a login meets: one of the methods must be answered. */
export interface MfaConstraint {
  readonly id: string
  readonly name: string
  readonly methods: readonly MfaMethodView[]
}

/** What clients send: by id or name of a method, passcodes or nothing (push). */
export type MfaAnswers = ReadonlyMap<string, readonly string[]>

/** A login that waits for its second factor. */
export interface HeldLogin<Carried = unknown> {
  readonly requestId: string
  readonly entityId: string
  /** Store time, ms. */
  readonly heldAt: number
  readonly carried: Carried
}

/** Answers that were found right; opaque to all but the engine, and worth nothing until they are spent. */
export interface MfaProof {
  readonly kind: 'mfa-proof'
}

/** Where and when, and what proving needs besides: it runs outside transactions and may ask other servers. */
export type MfaScope = Pick<Call, 'names' | 'namespace' | 'now'>

/** Second factors at logins (identity.md 6.4), as the core asks for them. */
export interface MfaPort {
  /**
   * The constraints a login on this mount by this entity ('' = none) meets now; [] = no second factor. Throws 403 where one is
   * needed and there is no entity to have it.
   */
  required(
    reader: Reader,
    scope: MfaScope,
    login: { readonly mount: Mount; readonly entityId: string },
  ): Promise<readonly MfaConstraint[]>
  /** In the login's transaction: keeps it until the second factor comes, at most five minutes. */
  hold(tx: Tx, scope: MfaScope, login: HeldLogin, constraints: readonly MfaConstraint[]): void
  /** The login that waits under this id; undefined when it was used, has lapsed, or never was. */
  held(reader: Reader, scope: MfaScope, requestId: string): Promise<HeldLogin | undefined>
  /**
   * Outside transactions: checks the answers, each guess counted before it is looked at. Throws 403
   * `failed to satisfy enforcement …` for the first constraint that is not satisfied.
   */
  prove(
    scope: MfaScope & { readonly records: Records; readonly remoteAddress: string },
    login: HeldLogin,
    constraints: readonly MfaConstraint[],
    answers: MfaAnswers,
  ): Promise<MfaProof>
  /**
   * In the transaction that makes the token: ends the waiting, uses passcodes up, and refuses (403) a proof that does not cover
   * what is required now or rests on a secret or code that is gone. Gives warnings for the answer.
   */
  spend(
    tx: Tx,
    scope: MfaScope,
    login: HeldLogin,
    constraints: readonly MfaConstraint[],
    proof: MfaProof,
  ): Promise<readonly string[]>
  /** Ends the waiting of a login that nobody can finish. */
  forget(records: Records, scope: MfaScope, requestId: string): Promise<void>
}
