import type { Call } from '../../../engine/call.ts'
import type { Tx } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import type { AlgorithmName } from './algorithms.ts'
import { isAlgorithm } from './algorithms.ts'
import { moveDue } from './due.ts'
import { freshPairs } from './key-pair.ts'
import { DEFAULT_KEY, withPairs } from './key-ring.ts'
import type { KeyCall } from './keys.ts'
import { findKey, putKey, untilFit } from './keys.ts'
import type { KeyRecord } from './records.ts'
import { oidcClients, oidcRoles } from './records.ts'
import { allByName, checkSize, keyRef, privateKeysRef } from './refs.ts'

/** What was sent of a key; undefined members were not. Durations in seconds. */
export interface KeyWrite {
  readonly name: string
  readonly rotationPeriod: number | undefined
  readonly verificationTtl: number | undefined
  readonly allowedClientIds: readonly string[] | undefined
  readonly algorithm: string | undefined
}

const ROTATION_SECONDS_LEAST = 60

/** The longest TTLs of what uses a key, and at which count of references they were read. */
interface LongestTtls {
  readonly references: number
  readonly role: number
  readonly client: number
}

const longestTtls = async (call: KeyCall, key: KeyRecord): Promise<LongestTtls> => {
  const { records, namespace } = call
  const uses = ({ key: used }: { readonly key: string }): boolean => used === key.name
  const roles = await allByName(records, oidcRoles.under(namespace.number), uses)
  const clients = await allByName(records, oidcClients.under(namespace.number), uses)
  return {
    references: key.references,
    role: Math.max(0, ...roles.map(({ ttl }) => ttl)),
    client: Math.max(0, ...clients.map(({ idTokenTtl }) => idTokenTtl)),
  }
}

/** The settings after a write, without new pairs. Throws the recorded Refusals, in their order. */
const settings = (
  present: KeyRecord | undefined,
  write: KeyWrite,
  longest: LongestTtls | undefined,
  now: number,
): KeyRecord => {
  const base: KeyRecord = present ?? { ...DEFAULT_KEY, name: write.name, allowedClientIds: [] }
  const rotationPeriod = write.rotationPeriod ?? base.rotationPeriod
  const verificationTtl = write.verificationTtl ?? base.verificationTtl
  if (rotationPeriod < ROTATION_SECONDS_LEAST) {
    throw invalid('rotation_period must be at least one minute')
  }
  if (verificationTtl > 10 * rotationPeriod) {
    throw invalid('verification_ttl cannot be longer than 10x rotation_period')
  }
  const tooShort = (what: string): Error =>
    invalid(
      `unable to update key "${base.name}" because it is currently referenced by one or more ${what} greater than ${verificationTtl} seconds`,
    )
  if ((longest?.role ?? 0) > verificationTtl) throw tooShort('roles with a token ttl')
  if ((longest?.client ?? 0) > verificationTtl) throw tooShort('clients with an id_token_ttl')
  const algorithm = write.algorithm ?? base.algorithm
  if (!isAlgorithm(algorithm)) throw invalid(`unknown signing algorithm "${algorithm}"`)
  const nextRotation = now + rotationPeriod * 1000
  const shortened = verificationTtl < base.verificationTtl && base.current !== undefined
  return {
    ...base,
    rotationPeriod,
    verificationTtl,
    algorithm,
    allowedClientIds: write.allowedClientIds ?? base.allowedClientIds,
    // A shorter period pulls the rotation forward, a longer one does not push it back.
    nextRotationAt: Math.min(base.nextRotationAt ?? Infinity, nextRotation),
    verifyUntil: shortened
      ? Math.max(base.verifyUntil, now + base.verificationTtl * 1000)
      : base.verifyUntil,
  }
}

/** Whether a write makes tokens of roles or clients that exist live longer than the key verifies. */
const shortens = (present: KeyRecord | undefined, write: KeyWrite): present is KeyRecord =>
  present !== undefined &&
  present.roles + present.clients > 0 &&
  write.verificationTtl !== undefined &&
  write.verificationTtl < present.verificationTtl

/** The algorithm of the pairs that a write needs: a new key's, or a changed one; undefined when it needs none. */
const newAlgorithm = (
  present: KeyRecord | undefined,
  after: KeyRecord,
): AlgorithmName | undefined =>
  present === undefined || present.algorithm !== after.algorithm ? after.algorithm : undefined

/** Makes or changes a named key (identity.md 5.2). Throws the recorded Refusals. */
export const writeKey = (call: KeyCall, write: KeyWrite): Promise<void> =>
  untilFit(async (again) => {
    const seen = await findKey(call.records, call, write.name)
    const longest = shortens(seen, write) ? await longestTtls(call, seen) : undefined
    const wanted = newAlgorithm(seen, settings(seen, write, longest, call.now))
    const fresh = wanted === undefined ? undefined : await freshPairs(wanted, call.newId)
    await call.records.transact(async (tx) => {
      const present = await findKey(tx, call, write.name)
      if (shortens(present, write) && present.references !== longest?.references) throw again()
      const after = settings(present, write, longest, call.now)
      checkSize(keyRef(call, write.name), { ...after, retired: [] })
      const algorithm = newAlgorithm(present, after)
      if (algorithm === undefined) return putKey(tx, call, present, after)
      if (fresh?.algorithm !== algorithm) throw again()
      // What was signed so far was signed with the old algorithm: `withPairs` retires it as such.
      putKey(tx, call, present, withPairs(after, fresh, call.now))
    })
  })

/** Deletes a key with its public keys, at once. Throws the recorded Refusals while something uses it. */
export const deleteKey = async (
  call: Pick<Call, 'names' | 'namespace' | 'records'>,
  name: string,
): Promise<void> => {
  if (name === 'default') throw invalid('deletion of key "default" not allowed')
  const used = await call.records.transact((tx) => removeKey(tx, call, name))
  if (used === undefined) return
  const { records, namespace } = call
  const users = await allByName<{ readonly name: string; readonly key: string }>(
    records,
    used === 'roles' ? oidcRoles.under(namespace.number) : oidcClients.under(namespace.number),
    ({ key }) => key === name,
  )
  throw invalid(
    `unable to delete key "${name}" because it is currently referenced by these ${used}: ${users.map((user) => user.name).join(', ')}`,
  )
}

const removeKey = async (
  tx: Tx,
  call: Pick<Call, 'names' | 'namespace'>,
  name: string,
): Promise<'roles' | 'clients' | undefined> => {
  const key = await findKey(tx, call, name)
  if (key === undefined) return undefined
  if (key.roles > 0) return 'roles'
  if (key.clients > 0) return 'clients'
  tx.delete(keyRef(call, name))
  tx.delete(privateKeysRef(call, name))
  moveDue(tx, call, name, key, undefined)
  return undefined
}
