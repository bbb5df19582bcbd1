import { recordKind } from '../../../engine/records.ts'

/**
 * Everything login MFA stores. Durations are seconds, times ms. Secrets stand in values only, which the barrier seals as it
 * does all; secrets of entities in records of their own, which no read of an entity or method touches.
 */

interface MethodHead {
  readonly id: string
  /** '' for none. */
  readonly name: string
}

export interface TotpMethod extends MethodHead {
  readonly type: 'totp'
  readonly issuer: string
  readonly period: number
  /** Bytes. */
  readonly keySize: number
  /** Pixels; 0 = no image. */
  readonly qrSize: number
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512'
  readonly digits: number
  readonly skew: number
  readonly maxValidationAttempts: number
  readonly selfEnrollment: boolean
}

export interface OktaMethod extends MethodHead {
  readonly type: 'okta'
  readonly usernameFormat: string
  readonly orgName: string
  readonly apiToken: string
  /** '' where the old `production` says which one. */
  readonly baseUrl: string
  readonly production: boolean
  /** Whether the user name is the primary e-mail address of a user. */
  readonly primaryEmail: boolean
}

export interface DuoMethod extends MethodHead {
  readonly type: 'duo'
  readonly usernameFormat: string
  readonly secretKey: string
  readonly integrationKey: string
  readonly apiHostname: string
  readonly pushInfo: string
  readonly usePasscode: boolean
}

export interface PingIdMethod extends MethodHead {
  readonly type: 'pingid'
  readonly usernameFormat: string
  /** Base64. */
  readonly key: string
  readonly token: string
  readonly useSignature: boolean
  readonly idpUrl: string
  readonly orgAlias: string
  readonly adminUrl: string
  readonly authenticatorUrl: string
}

export type MethodRecord = TotpMethod | OktaMethod | DuoMethod | PingIdMethod
export type MethodType = MethodRecord['type']

/** `fm/<ns><method id>` */
export const mfaMethods = recordKind<MethodRecord>('fm')

/** `fmn/<ns>H('mfa-method-name', name)`: uniqueness of names, compared with their case. */
export const mfaMethodNames = recordKind<{ readonly id: string }>('fmn')

export interface Enforcement {
  readonly id: string
  readonly name: string
  readonly methodIds: readonly string[]
  readonly mountAccessors: readonly string[]
  readonly mountTypes: readonly string[]
  readonly groupIds: readonly string[]
  readonly entityIds: readonly string[]
}

/**
 * `fe/<ns>`: all login enforcements, in the order they came, in one record of bounded size: every login reads it and so rests on
 * all that could bind it, those included that do not exist yet.
 */
export const mfaEnforcements = recordKind<{ readonly list: readonly Enforcement[] }>('fe')

/** An entity's secret for one TOTP method, with the method's settings as they were when it was made. */
export interface TotpSecret {
  readonly methodId: string
  /** Another one each time a secret is made. */
  readonly id: string
  /** Base64. */
  readonly key: string
  readonly algorithm: TotpMethod['algorithm']
  readonly digits: number
  readonly period: number
  readonly skew: number
  /** Hashes (hex) of the backup codes that are left; absent: none were made. */
  readonly backupCodes?: readonly string[]
}

/** `fs/<ns><entity id>`: the secrets of an entity, one a method; no secret is no record. */
export const totpSecrets = recordKind<{ readonly secrets: readonly TotpSecret[] }>('fs')

/** `fg/<ns><entity id><method id>`: guesses at passcodes, and the time steps whose passcodes are used up. */
export interface Guesses {
  /** Since the last one that was right, within the period that began at `since`. */
  readonly attempts: number
  readonly since: number
  readonly usedSteps: readonly number[]
}
export const totpGuesses = recordKind<Guesses>('fg')

/** `fp/<ns><request id>`: a login that waits for its second factor. */
export interface PendingRecord {
  readonly entityId: string
  readonly heldAt: number
  readonly expiresAt: number
  readonly carried: unknown
  /** Methods that this login may make a secret for. */
  readonly selfEnrollment: readonly string[]
  /** A secret made in this login; the entity's from the moment its first passcode came. */
  readonly enrolling?: TotpSecret
}
export const pendingLogins = recordKind<PendingRecord>('fp')

/** `fd/<ns><time 6 bytes><request id>`: when to drop a waiting login that nobody finished. A hint. */
export const pendingDue = recordKind<{ readonly due: true }>('fd')
