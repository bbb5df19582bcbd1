import type { BackgroundScope } from '../../../engine/engine.ts'
import type { Ref, Tx } from '../../../engine/records.ts'
import { idBytes, idText } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import { findClient } from './clients.ts'
import {
  DUE_CODE,
  DUE_DEVICE,
  DUE_GUESSES,
  DUE_KEY,
  DUE_REVOKED,
  DUE_SESSION,
  DUE_USER_CODE,
  dueRef,
  dueTarget,
  timePart,
} from './due.ts'
import { storeDefaults } from './defaults.ts'
import { rotateKey } from './keys.ts'
import { endSession, sessionEnd } from './offline-session.ts'
import {
  oidcCodes,
  oidcDevices,
  oidcDue,
  oidcGuesses,
  oidcKeys,
  oidcRevoked,
  oidcUserCodes,
} from './records.ts'
import { sessionRef } from './refs.ts'

/**
 * One round of what OIDC does by itself: stores the objects that always exist, rotates keys whose time has come, drops
 * what ended by time: codes, devices, offline sessions, marks of revoked tokens. Its cost is that of what is due. May run at once in any number of processes: each step is one commit that
 * looks again. `stored` remembers, per process, which namespaces have their objects.
 */
export const runBackground = async (scope: BackgroundScope, stored: Set<number>): Promise<void> => {
  const { namespace, now, records } = scope
  if (!stored.has(namespace.number)) {
    await storeDefaults(scope)
    stored.add(namespace.number)
  }
  const all = oidcDue.under(namespace.number)
  const due = { ...all, to: oidcDue.under(namespace.number, timePart(now + 1)).from }
  for await (const page of records.scan(due)) {
    for (const { tail, key } of page) {
      const entry = oidcDue.atKey(key)
      const { kind, hash } = dueTarget(tail)
      if (kind === DUE_KEY) await rotateDue(scope, hash, entry)
      else if (kind === DUE_SESSION) await endDue(scope, idText(hash), entry)
      else await dropDue(scope, kind, hash, entry)
    }
  }
}

const rotateDue = async (
  scope: BackgroundScope,
  hash: Uint8Array,
  entry: Ref<unknown>,
): Promise<void> => {
  const key = await scope.records.get(oidcKeys.at(scope.namespace.number, hash))
  if (key !== undefined) await rotateKey(scope, key.name, { onlyDue: true })
  // The rotation took the entry with it, unless it pointed at nothing.
  await scope.records.transact(async (tx) => {
    const present = await tx.get(oidcKeys.at(scope.namespace.number, hash))
    if (present?.nextRotationAt === undefined || present.nextRotationAt > scope.now) {
      tx.delete(entry)
    }
  })
}

/** Records that end at a time of their own, and what of them says when. */
const ENDING: Readonly<Record<number, (scope: BackgroundScope, hash: Uint8Array) => Ending>> = {
  [DUE_CODE]: ({ namespace }, hash) => ending(oidcCodes.at(namespace.number, hash), 'expiresAt'),
  [DUE_REVOKED]: ({ namespace }, hash) => ending(oidcRevoked.at(namespace.number, hash), 'until'),
  [DUE_DEVICE]: ({ namespace }, hash) =>
    ending(oidcDevices.at(namespace.number, hash), 'expiresAt', limits.oidcDeviceMs),
  [DUE_USER_CODE]: ({ namespace }, hash) =>
    ending(oidcUserCodes.at(namespace.number, hash), 'until'),
  [DUE_GUESSES]: ({ namespace }, hash) => ending(oidcGuesses.at(namespace.number, hash), 'until'),
}

/** Deletes a record if its time is over. */
type Ending = (tx: Tx, now: number) => Promise<void>

const ending =
  <K extends string, T extends Readonly<Record<K, number>>>(
    ref: Ref<T>,
    time: K,
    keptMs = 0,
  ): Ending =>
  async (tx, now) => {
    const value = await tx.get(ref)
    if (value !== undefined && value[time] + keptMs <= now) tx.delete(ref)
  }

const dropDue = async (
  scope: BackgroundScope,
  kind: number,
  hash: Uint8Array,
  entry: Ref<unknown>,
): Promise<void> => {
  const end = ENDING[kind]?.(scope, hash)
  if (end === undefined) return
  await scope.records.transact(async (tx) => {
    tx.delete(entry)
    await end(tx, scope.now)
  })
}

/** An offline session that was used meanwhile, or whose client now lets it lie longer, is looked at again when it would end. */
const endDue = async (scope: BackgroundScope, id: string, entry: Ref<unknown>): Promise<void> => {
  await scope.records.transact(async (tx) => {
    const session = await tx.get(sessionRef(scope, id))
    tx.delete(entry)
    if (session === undefined) return
    const client = await findClient(tx, scope, session.clientId)
    const end = client === undefined ? 0 : sessionEnd(session, client)
    if (end <= scope.now) endSession(tx, scope, session)
    else tx.put(dueRef(scope, DUE_SESSION, idBytes(id)!, end), { due: true })
  })
}
