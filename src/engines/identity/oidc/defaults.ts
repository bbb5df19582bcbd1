import { compareBytes } from '../../../std/json.ts'
import { DEFAULT_KEY } from './key-ring.ts'
import { findKey, putKey } from './keys.ts'
import type { KeyCall } from './keys.ts'
import type { AssignmentRecord, ProviderRecord } from './records.ts'
import { assignmentRef, keyRef, providerRef } from './refs.ts'

/** The assignment that lets everybody in; nobody can change it. */
export const ALLOW_ALL: AssignmentRecord = {
  name: 'allow_all',
  entityIds: ['*'],
  groupIds: ['*'],
  clients: 0,
}

/** The provider that always exists, as it is until somebody changes it. */
export const DEFAULT_PROVIDER: ProviderRecord = {
  name: 'default',
  issuer: '',
  allowedClientIds: ['*'],
  scopes: [],
}

/** A sorted list with the object that always exists, where it is not stored yet. */
export const withDefault = <T extends { readonly name: string }>(
  list: readonly T[],
  fallback: T,
): readonly T[] =>
  list.some(({ name }) => name === fallback.name)
    ? list
    : [...list, fallback].sort((a, b) => compareBytes(a.name, b.name))

/**
 * Stores the objects that always exist where nobody has. They count as there before, too: this only gives them a record, so
 * that a write of one is an update to the ACL, and starts the default key's period.
 */
export const storeDefaults = async (call: KeyCall): Promise<void> => {
  await call.records.transact(async (tx) => {
    const [key, assignment, provider] = await tx.getMany<unknown>([
      keyRef(call, DEFAULT_KEY.name),
      assignmentRef(call, ALLOW_ALL.name),
      providerRef(call, DEFAULT_PROVIDER.name),
    ])
    if (key === undefined) {
      putKey(tx, call, undefined, (await findKey(tx, call, DEFAULT_KEY.name))!)
    }
    if (assignment === undefined) tx.put(assignmentRef(call, ALLOW_ALL.name), ALLOW_ALL)
    if (provider === undefined) tx.put(providerRef(call, DEFAULT_PROVIDER.name), DEFAULT_PROVIDER)
  })
}
