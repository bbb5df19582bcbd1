import type { MfaScope } from '../../../engine/ports/mfa.ts'
import type { Records, Tx } from '../../../engine/records.ts'
import { FactorFault } from './answers.ts'
import type { Guesses } from './records.ts'
import { guessesRef } from './refs.ts'
import { compactDuration } from '../../../std/go-duration.ts'

/** Whose passcodes for which method are guessed at. */
export interface Guessed {
  readonly entityId: string
  readonly methodId: string
}

const NONE: Guesses = { attempts: 0, since: 0, usedSteps: [] }

/**
 * Counts a guess, in a commit of its own, before anybody looks whether it is right: however many processes are asked at once, no
 * more are looked at than are counted. Throws a FactorFault when the period has had as many wrong ones as it may.
 */
export const countGuess = async (
  { records, namespace, now }: Pick<MfaScope, 'namespace' | 'now'> & { readonly records: Records },
  { entityId, methodId }: Guessed,
  limit: { readonly attempts: number; readonly periodSeconds: number },
): Promise<void> => {
  const ref = guessesRef({ namespace }, entityId, methodId)
  await records.transact(async (tx) => {
    const before = (await tx.get(ref)) ?? NONE
    const ends = before.since + limit.periodSeconds * 1000
    if (before.attempts === 0 || ends <= now) {
      tx.put(ref, { ...before, attempts: 1, since: now })
      return
    }
    if (before.attempts >= limit.attempts) {
      const left = compactDuration(Math.max(1, Math.ceil((ends - now) / 1000)))
      throw new FactorFault(
        `maximum TOTP validation attempts ${before.attempts + 1} exceeded the allowed attempts ${limit.attempts}. ` +
          `Please try again in ${left} seconds`,
      )
    }
    tx.put(ref, { ...before, attempts: before.attempts + 1 })
  })
}

/**
 * In the token's transaction, after a right guess: uses the time steps of a passcode up and forgets the wrong guesses. False when
 * one of them is used up already. `forget`: steps before this one can match no more.
 */
export const useSteps = async (
  tx: Tx,
  place: Pick<MfaScope, 'namespace'>,
  { entityId, methodId }: Guessed,
  steps: readonly number[],
  forget: number,
): Promise<boolean> => {
  const ref = guessesRef(place, entityId, methodId)
  const before = (await tx.get(ref)) ?? NONE
  if (steps.some((step) => before.usedSteps.includes(step))) return false
  const usedSteps = [...before.usedSteps.filter((step) => step >= forget), ...steps]
  tx.put(ref, { attempts: 0, since: 0, usedSteps })
  return true
}
