import type { Tx } from '../../../engine/records.ts'
import { failed } from '../../../engine/refusal.ts'
import { guessesRef, secretsRef } from './refs.ts'

/** Takes all secrets of an entity that is deleted with it. Gives how many records that wrote. */
export const dropSecrets = async (tx: Tx, namespace: number, entityId: string): Promise<number> => {
  const place = { namespace: { number: namespace } }
  const ref = secretsRef(place, entityId)
  const secrets = (await tx.get(ref))?.secrets ?? []
  if (secrets.length === 0) return 0
  tx.delete(ref)
  for (const { methodId } of secrets) tx.delete(guessesRef(place, entityId, methodId))
  return secrets.length + 1
}

/**
 * Moves the secrets of entities that are merged into another, with the passcodes that are used up (identity.md 1.7, 8). Throws the
 * recorded 500 where two hold one for the same method, unless `force`: then the survivor keeps what it has, since nobody who
 * absorbs an entity should thereby change their own second factor.
 */
export const mergeSecrets = async (
  tx: Tx,
  namespace: number,
  toId: string,
  fromIds: readonly string[],
  force: boolean,
): Promise<void> => {
  const place = { namespace: { number: namespace } }
  const kept = [...((await tx.get(secretsRef(place, toId)))?.secrets ?? [])]
  let changed = false
  for (const fromId of fromIds) {
    for (const secret of (await tx.get(secretsRef(place, fromId)))?.secrets ?? []) {
      const { methodId } = secret
      const used = await tx.get(guessesRef(place, fromId, methodId))
      if (kept.some((one) => one.methodId === methodId)) {
        if (!force) throw failed(`conflicting MFA config ID "${methodId}" in entity ID "${fromId}"`)
      } else {
        kept.push(secret)
        changed = true
        if (used !== undefined) tx.put(guessesRef(place, toId, methodId), used)
      }
    }
    await dropSecrets(tx, namespace, fromId)
  }
  if (changed) tx.put(secretsRef(place, toId), { secrets: kept })
}
