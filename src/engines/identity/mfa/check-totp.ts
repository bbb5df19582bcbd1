import type { HeldLogin, MfaMethodView, MfaScope } from '../../../engine/ports/mfa.ts'
import type { Records, Tx } from '../../../engine/records.ts'
import { FactorFault, notCorrect, passcodeOf } from './answers.ts'
import { backupCodeHash } from './backup-codes.ts'
import { countGuess, useSteps } from './guesses.ts'
import { findPending } from './pending.ts'
import type { TotpSecret } from './records.ts'
import { findMethod, findSecret, putSecret } from './refs.ts'
import { matchingSteps, stepOf } from './totp.ts'

/** A right answer for a TOTP method, not used up yet. */
export type TotpProof =
  | { readonly kind: 'passcode'; readonly secret: TotpSecret; readonly steps: readonly number[] }
  | { readonly kind: 'enrolling'; readonly secret: TotpSecret; readonly steps: readonly number[] }
  | { readonly kind: 'backup-code'; readonly secret: TotpSecret; readonly hash: string }

/**
 * Whether an answer is right for a TOTP method: a passcode of the entity's secret, one of its backup codes, or, while the entity
 * has no secret, a passcode of the one that was made in this very login. Throws a FactorFault.
 */
export const checkTotp = async (
  scope: MfaScope & { readonly records: Records },
  login: HeldLogin,
  { id: methodId, name }: MfaMethodView,
  sent: readonly string[],
): Promise<TotpProof> => {
  const { entityId, requestId } = login
  const { names, now, records } = scope
  const [secret, pending, method] = await Promise.all([
    findSecret(records, scope, entityId, methodId),
    findPending(records, scope, requestId),
    findMethod(records, scope, methodId),
  ])
  const enrolling = pending?.enrolling?.methodId === methodId ? pending.enrolling : undefined
  const used = secret ?? enrolling
  if (used === undefined) {
    throw new FactorFault(
      `MFA secret for method name ${JSON.stringify(name)} not present in entity "${entityId}"`,
    )
  }
  const passcode = passcodeOf(sent)
  if (passcode === '' || method?.type !== 'totp') throw notCorrect()
  await countGuess(
    scope,
    { entityId, methodId },
    { attempts: method.maxValidationAttempts, periodSeconds: used.period },
  )
  const hash = secret === undefined ? undefined : backupCodeHash(names, secret, passcode)
  if (secret !== undefined && hash !== undefined) {
    if (secret.backupCodes?.includes(hash) === true) return { kind: 'backup-code', secret, hash }
    throw notCorrect()
  }
  const steps = matchingSteps(used, passcode, now)
  if (steps.length === 0) throw notCorrect()
  return { kind: secret === undefined ? 'enrolling' : 'passcode', secret: used, steps }
}

/**
 * In the token's transaction: uses an answer up. False when somebody was faster: the passcode or code is used, the secret another
 * one or gone. Gives warnings for the answer.
 */
export const useTotp = async (
  tx: Tx,
  scope: MfaScope,
  login: HeldLogin,
  methodId: string,
  proof: TotpProof,
): Promise<readonly string[] | false> => {
  const { entityId } = login
  const present = await findSecret(tx, scope, entityId, methodId)
  const guessed = { entityId, methodId }
  const forget = stepOf(proof.secret, scope.now) - proof.secret.skew - 2
  if (proof.kind === 'enrolling') {
    const pending = await findPending(tx, scope, login.requestId)
    if (present !== undefined || pending?.enrolling?.id !== proof.secret.id) return false
    await putSecret(tx, scope, entityId, methodId, proof.secret)
    return (await useSteps(tx, scope, guessed, proof.steps, forget)) ? [] : false
  }
  if (present?.id !== proof.secret.id) return false
  if (proof.kind === 'passcode') {
    return (await useSteps(tx, scope, guessed, proof.steps, forget)) ? [] : false
  }
  const codes = present.backupCodes ?? []
  if (!codes.includes(proof.hash)) return false
  const left = codes.filter((hash) => hash !== proof.hash)
  await putSecret(tx, scope, entityId, methodId, { ...present, backupCodes: left })
  await useSteps(tx, scope, guessed, [], forget)
  return [`A backup code was used up; ${left.length} ${left.length === 1 ? 'is' : 'are'} left.`]
}
