import type { Call } from '../../../engine/call.ts'
import type { Reader, Tx } from '../../../engine/records.ts'
import { Refusal, invalid } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import { moveDue } from './due.ts'
import { freshPairs, newPair } from './key-pair.ts'
import type { BothHalves } from './key-ring.ts'
import { DEFAULT_KEY, isDue, rotated, withPairs } from './key-ring.ts'
import type { KeyRecord } from './records.ts'
import type { Place } from './refs.ts'
import { keyRef, privateKeysRef } from './refs.ts'

/** What changes of keys use of a request or of the background. */
export type KeyCall = Pick<Call, 'names' | 'namespace' | 'now' | 'records' | 'newId'>

/** The named key; the default one exists also before anybody stored it. */
export const findKey = async (
  reader: Reader,
  place: Place,
  name: string,
): Promise<KeyRecord | undefined> =>
  (await reader.get(keyRef(place, name))) ?? (name === 'default' ? DEFAULT_KEY : undefined)

/** Puts a key, with its private half if that changed; `before` is what the transaction read. */
export const putKey = (
  tx: Tx,
  place: Place & Pick<Call, 'now'>,
  before: KeyRecord | undefined,
  after: KeyRecord | BothHalves,
): void => {
  const { key, private: secret } = 'key' in after ? after : { key: after, private: undefined }
  const timed: KeyRecord = {
    ...key,
    nextRotationAt: key.nextRotationAt ?? place.now + key.rotationPeriod * 1000,
  }
  tx.put(keyRef(place, key.name), timed)
  if (secret !== undefined) tx.put(privateKeysRef(place, key.name), secret)
  moveDue(tx, place, key.name, before, timed)
}

/** Thrown when the pairs that were made do not fit the key any more: nothing is written, the step is done anew. */
class Again extends Error {
  override readonly name = 'Again'
}

/** Runs a step that makes pairs outside a transaction, until the key it made them for is still the same inside. */
export const untilFit = async <T>(step: (again: () => Error) => Promise<T>): Promise<T> => {
  for (let attempt = 0; attempt < limits.decisionAttempts; attempt++) {
    try {
      return await step(() => new Again('the key changed'))
    } catch (error) {
      if (!(error instanceof Again)) throw error
    }
  }
  throw new Refusal('unavailable', 'the key changes all the time; try again')
}

/**
 * Rotates a key. By hand: always. By time (`onlyDue`): once a period over all processes and nodes, as the one that commits
 * moves the time the others look at. New pairs are made before the commit, which decides whether they are used. Undefined: no such key.
 */
export const rotateKey = (
  call: KeyCall,
  name: string,
  options: { readonly onlyDue: boolean; readonly verificationTtl?: number | undefined },
): Promise<KeyRecord | undefined> =>
  untilFit(async (again) => {
    const seen = await findKey(call.records, call, name)
    if (seen === undefined) return undefined
    if (options.onlyDue && !isDue(seen, call.now)) return seen
    const { algorithm } = seen
    const [next, first] = await Promise.all([
      newPair(algorithm, call.newId()),
      seen.next === undefined ? newPair(algorithm, call.newId()) : undefined,
    ])
    return call.records.transact(async (tx) => {
      const key = await findKey(tx, call, name)
      if (key === undefined) return undefined
      if (options.onlyDue && !isDue(key, call.now)) return key
      if (key.algorithm !== algorithm || (key.next === undefined && first === undefined)) {
        throw again()
      }
      const secret = await tx.get(privateKeysRef(call, name))
      const done = rotated({ key, private: secret }, { next, first }, call.now, {
        byHand: !options.onlyDue,
        verificationTtl: options.verificationTtl,
      })
      putKey(tx, call, key, done)
      return done.key
    })
  })

/** The key to sign with at `now`: rotated first if its time has come. Undefined: no such key. */
export const keyForUse = async (call: KeyCall, name: string): Promise<KeyRecord | undefined> => {
  const key = await findKey(call.records, call, name)
  return key === undefined || !isDue(key, call.now) ? key : rotateKey(call, name, { onlyDue: true })
}

/**
 * Runs a write that refers to a key and needs it to have pairs: the default key gets its first ones with it. `write` decides
 * inside the transaction and gives how often the key is referred to from then on; undefined: the key is left as it is.
 */
export const referTo = async <T>(
  call: KeyCall,
  name: string,
  write: (
    tx: Tx,
    key: KeyRecord | undefined,
  ) => Promise<{ readonly key: KeyRecord | undefined; readonly result: T }>,
): Promise<T> =>
  untilFit(async (again) => {
    const seen = await findKey(call.records, call, name)
    const fresh =
      seen !== undefined && seen.current === undefined
        ? await freshPairs(seen.algorithm, call.newId)
        : undefined
    return call.records.transact(async (tx) => {
      const before = await findKey(tx, call, name)
      const { key, result } = await write(tx, before)
      if (key === undefined) return result
      if (key.current !== undefined) putKey(tx, call, before, key)
      else if (fresh?.algorithm === key.algorithm) {
        putKey(tx, call, before, withPairs(key, fresh, call.now))
      } else throw again()
      return result
    })
  })

/** The writes of a new referrer or of one that is gone. */
export const referred = (key: KeyRecord, by: 'roles' | 'clients', change: number): KeyRecord => ({
  ...key,
  [by]: key[by] + change,
  references: key.references + 1,
})

/** The refusal of a rotation that names no key. */
export const noKey = (name: string): Refusal => invalid(`no named key found at "${name}"`)
