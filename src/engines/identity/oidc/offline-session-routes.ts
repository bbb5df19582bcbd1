import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import { idBytes, idText } from '../../../engine/records.ts'
import type { ListPage, Result } from '../../../engine/result.ts'
import { data, listPages } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { EntityRecord } from '../records.ts'
import { findSubject } from '../subject.ts'
import { writtenTime } from '../written-time.ts'
import { findClient } from './clients.ts'
import { endSessions, goesOn, sessionEnd } from './offline-session.ts'
import type { ClientRecord, OfflineSession } from './records.ts'
import { entitySessions, sessionRef } from './refs.ts'

type Reading = Pick<Call, 'names' | 'namespace' | 'now' | 'records'>

/** A session as the API shows it; undefined for one that is over. */
const shown = (
  { now }: Reading,
  session: OfflineSession,
  client: ClientRecord | undefined,
  entity: EntityRecord | undefined,
): Readonly<Record<string, unknown>> | undefined => {
  if (entity === undefined || client === undefined || !goesOn(session, client, now)) {
    return undefined
  }
  return {
    entity_id: entity.id,
    client_id: client.clientId,
    client_name: client.name,
    provider: session.provider,
    scopes: session.scopes,
    creation_time: writtenTime(session.createdAt),
    last_used_time: writtenTime(session.usedAt),
    expiration_time: writtenTime(sessionEnd(session, client)),
  }
}

/** Ids of an entity's sessions, page by page: also of those that began for entities that were merged into it. */
const idsOf = async function* (call: Reading, entityId: string): AsyncIterable<readonly string[]> {
  const entity = await findSubject(call.records, call.namespace.number, entityId)
  const owners = entity === undefined ? [entityId] : [entity.id, ...entity.mergedEntityIds]
  for (const owner of owners) {
    if (idBytes(owner) === undefined) continue
    for await (const page of call.records.scan(entitySessions(call, owner))) {
      yield page.map(({ tail }) => idText(tail))
    }
  }
}

const listSessions = async function* (call: Reading, entityId: string): AsyncIterable<ListPage> {
  const entity = await findSubject(call.records, call.namespace.number, entityId)
  const clients = new Map<string, ClientRecord | undefined>()
  for await (const ids of idsOf(call, entityId)) {
    const sessions = await call.records.getMany(ids.map((id) => sessionRef(call, id)))
    const alive: (readonly [string, Readonly<Record<string, unknown>>])[] = []
    for (const session of sessions) {
      if (session === undefined) continue
      const { clientId, id } = session
      if (!clients.has(clientId)) {
        clients.set(clientId, await findClient(call.records, call, clientId))
      }
      const view = shown(call, session, clients.get(clientId), entity)
      if (view !== undefined) alive.push([id, view])
    }
    yield { keys: alive.map(([id]) => id), keyInfo: Object.fromEntries(alive) }
  }
}

const readSession = async (call: Reading, id: string): Promise<Result> => {
  if (idBytes(id) === undefined) return undefined
  const session = await call.records.get(sessionRef(call, id))
  if (session === undefined) return undefined
  const client = await findClient(call.records, call, session.clientId)
  const entity = await findSubject(call.records, call.namespace.number, session.entityId)
  const view = shown(call, session, client, entity)
  return view === undefined ? undefined : data({ id, ...view })
}

const entityField = { entity_id: field.string({ default: '', description: 'Id of the entity' }) }

const idField = { id: field.string({ default: '', description: 'Id of the session' }) }

/** The routes at which administrators see and end what clients were granted beyond one access token. */
export const offlineSessionRoutes: readonly Route[] = [
  route({
    path: 'oidc/offline-session/entity/:entity_id',
    summary: 'List an entity’s offline sessions, or end all of them',
    fields: entityField,
    verbs: {
      list: (call) => listPages(listSessions(call, call.input.entity_id)),
      delete: async (call) => {
        for await (const ids of idsOf(call, call.input.entity_id)) await endSessions(call, ids)
        return undefined
      },
    },
  }),
  route({
    path: 'oidc/offline-session/id/:id',
    summary: 'Read or end an offline session',
    fields: idField,
    verbs: {
      read: (call) => readSession(call, call.input.id),
      delete: async (call) => {
        if (idBytes(call.input.id) !== undefined) await endSessions(call, [call.input.id])
        return undefined
      },
    },
  }),
]
