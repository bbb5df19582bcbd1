import type { Call } from '../../../engine/call.ts'
import type { Tx } from '../../../engine/records.ts'
import { idBytes } from '../../../engine/records.ts'
import type { AskingClient } from './asking-client.ts'
import { DUE_SESSION, dueRef } from './due.ts'
import type { ClientRecord, OfflineSession } from './records.ts'
import type { RefreshToken } from './refresh-token.ts'
import type { Place } from './refs.ts'
import { entitySessionRef, sessionRef, signInSessionRef } from './refs.ts'

/** The scope that asks for an offline session. */
export const OFFLINE_ACCESS = 'offline_access'

/** When an offline session ends by itself, in ms, as its client is now. */
export const sessionEnd = (session: OfflineSession, client: ClientRecord): number =>
  Math.min(
    session.usedAt + client.refreshIdleTtl * 1000,
    session.createdAt + client.refreshMaxTtl * 1000,
  )

/** Whether an offline session of a client goes on; what its entity may do is asked elsewhere. */
export const goesOn = (
  session: OfflineSession | undefined,
  client: ClientRecord,
  now: number,
): session is OfflineSession =>
  session !== undefined &&
  session.clientId === client.clientId &&
  client.allowRefresh &&
  sessionEnd(session, client) > now

/** The offline session that a grant begins; undefined where its client did not ask for one, or may have none. */
export const newSession = (
  { now }: Pick<Call, 'now'>,
  { client, provider }: AskingClient,
  granted: Pick<OfflineSession, 'entityId' | 'scopes' | 'authTime' | 'sid'>,
  first: RefreshToken,
): OfflineSession | undefined => {
  if (!client.allowRefresh || !granted.scopes.includes(OFFLINE_ACCESS)) return undefined
  return {
    id: first.sessionId,
    provider: provider.name,
    clientId: client.clientId,
    ...granted,
    createdAt: now,
    usedAt: now,
    current: first.hash,
    previous: '',
  }
}

/** Puts a new offline session where all who look for it find it. */
export const beginSession = (
  tx: Tx,
  place: Place,
  session: OfflineSession,
  client: ClientRecord,
): void => {
  tx.put(sessionRef(place, session.id), session)
  tx.put(entitySessionRef(place, session.entityId, session.id), { of: 'entity' })
  tx.put(signInSessionRef(place, session.sid, session.id), { of: 'sign-in' })
  const end = sessionEnd(session, client)
  tx.put(dueRef(place, DUE_SESSION, idBytes(session.id)!, end), { due: true })
}

/** Ends an offline session, with its refresh tokens and the access tokens they gave. */
export const endSession = (tx: Tx, place: Place, session: OfflineSession): void => {
  tx.delete(sessionRef(place, session.id))
  tx.delete(entitySessionRef(place, session.entityId, session.id))
  tx.delete(signInSessionRef(place, session.sid, session.id))
}

/** Ends those offline sessions of a list that `ends` names, each in a commit of its own. */
export const endSessions = async (
  call: Place & Pick<Call, 'records'>,
  ids: readonly string[],
  ends: (session: OfflineSession) => boolean = () => true,
): Promise<void> => {
  for (const id of ids) {
    await call.records.transact(async (tx) => {
      const session = await tx.get(sessionRef(call, id))
      if (session !== undefined && ends(session)) endSession(tx, call, session)
    })
  }
}
