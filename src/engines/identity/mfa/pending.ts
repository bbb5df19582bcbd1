import type { BackgroundScope } from '../../../engine/engine.ts'
import type { HeldLogin, MfaConstraint, MfaScope } from '../../../engine/ports/mfa.ts'
import type { Reader, Records, Ref, Tx } from '../../../engine/records.ts'
import { idText } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import type { PendingRecord } from './records.ts'
import { pendingDue } from './records.ts'
import type { Place } from './refs.ts'
import { dueRequest, pendingDueRef, pendingRef, timePart } from './refs.ts'

/** A login's place; throws for an id that never came from here (a bug, not bad input). */
const ownRef = (place: Place, requestId: string): Ref<PendingRecord> => {
  const ref = pendingRef(place, requestId)
  if (ref === undefined) throw new Error(`not an id: ${requestId}`)
  return ref
}

/** See MfaPort.hold. */
export const hold = (
  tx: Tx,
  scope: MfaScope,
  login: HeldLogin,
  constraints: readonly MfaConstraint[],
): void => {
  const offered = constraints.flatMap(({ methods }) => methods.filter((one) => one.selfEnrollment))
  const expiresAt = scope.now + limits.mfaPendingMs
  tx.put(ownRef(scope, login.requestId), {
    entityId: login.entityId,
    heldAt: login.heldAt,
    expiresAt,
    carried: login.carried,
    selfEnrollment: offered.map(({ id }) => id),
  })
  tx.put(pendingDueRef(scope, login.requestId, expiresAt), { due: true })
}

/** The record of a login that still waits. */
export const findPending = async (
  reader: Reader,
  scope: MfaScope,
  requestId: string,
): Promise<PendingRecord | undefined> => {
  const ref = pendingRef(scope, requestId)
  const pending = ref === undefined ? undefined : await reader.get(ref)
  return pending === undefined || pending.expiresAt <= scope.now ? undefined : pending
}

/** See MfaPort.held. */
export const held = async (
  reader: Reader,
  scope: MfaScope,
  requestId: string,
): Promise<HeldLogin | undefined> => {
  const pending = await findPending(reader, scope, requestId)
  if (pending === undefined) return undefined
  const { entityId, heldAt, carried } = pending
  return { requestId, entityId, heldAt, carried }
}

/** Puts a waiting login after a change. */
export const putPending = (tx: Tx, place: Place, requestId: string, pending: PendingRecord): void =>
  tx.put(ownRef(place, requestId), pending)

/** Takes a waiting login away. */
export const dropPending = (
  tx: Tx,
  place: Place,
  requestId: string,
  { expiresAt }: PendingRecord,
): void => {
  tx.delete(ownRef(place, requestId))
  tx.delete(pendingDueRef(place, requestId, expiresAt))
}

/** See MfaPort.forget. */
export const forget = async (
  records: Records,
  scope: MfaScope,
  requestId: string,
): Promise<void> => {
  await records.transact(async (tx) => {
    const pending = await tx.get(ownRef(scope, requestId))
    if (pending !== undefined) dropPending(tx, scope, requestId, pending)
  })
}

/** Drops the logins that nobody finished. Its cost is that of what is due; any number of processes may do it at once. */
export const dropLapsed = async (scope: BackgroundScope): Promise<void> => {
  const { namespace, now, records } = scope
  const all = pendingDue.under(namespace.number)
  const due = { ...all, to: pendingDue.under(namespace.number, timePart(now + 1)).from }
  for await (const page of records.scan(due)) {
    for (const { tail, key } of page) {
      const requestId = idText(dueRequest(tail))
      await records.transact(async (tx) => {
        const pending = await tx.get(ownRef(scope, requestId))
        tx.delete(pendingDue.atKey(key))
        if (pending !== undefined && pending.expiresAt <= now) {
          dropPending(tx, scope, requestId, pending)
        }
      })
    }
  }
}
