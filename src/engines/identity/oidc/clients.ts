import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Reader, Tx } from '../../../engine/records.ts'
import { Refusal, invalid } from '../../../engine/refusal.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { findAssignment } from './assignments.ts'
import { base62 } from '../../../std/base62.ts'
import { CLIENT_ID_LENGTH, CLIENT_SECRET_LENGTH } from './drawn-lengths.ts'
import { sessionFields, sessionSettings, shownSettings } from './client-sessions.ts'
import { ALLOW_ALL } from './defaults.ts'
import { findKey, putKey, referTo, referred } from './keys.ts'
import type { ClientRecord, KeyRecord } from './records.ts'
import { oidcClients } from './records.ts'
import type { Place } from './refs.ts'
import { allByName, assignmentRef, clientIdRef, clientRef, putObject, sortedSet } from './refs.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the client' }),
  redirect_uris: field.commaList({ description: 'Where codes may be sent, compared exactly' }),
  assignments: field.commaList({ description: 'Assignments that say who may log in' }),
  key: field.string({ description: 'The named key that signs its tokens; cannot change' }),
  id_token_ttl: field.duration({
    description: 'How long its ID tokens are valid; 24h if not given',
  }),
  access_token_ttl: field.duration({
    description: 'How long its access tokens are valid; 24h if not given',
  }),
  client_type: field.string({
    description: 'confidential (the default: has a secret) or public; cannot change',
  }),
  authorization_code: field.bool({
    description: 'May use the authorization code flow; true if not given',
  }),
  client_credentials: field.bool({ description: 'May use the client credentials flow' }),
  ...sessionFields,
}

type ClientCall = Call<InputOf<typeof fields>>

const TTL_SECONDS = 86_400

/** What is drawn for a client that turns out to be new. */
interface Drawn {
  readonly clientId: string
  readonly clientSecret: string
}

/** A client by its client id. */
export const findClient = async (
  reader: Reader,
  place: Place,
  clientId: string,
): Promise<ClientRecord | undefined> => {
  const owner = await reader.get(clientIdRef(place, clientId))
  return owner === undefined ? undefined : reader.get(clientRef(place, owner.name))
}

/** The client after a write. Throws the recorded Refusals, in the order of identity.md 5.8 behind the assignments. */
const written = (
  call: ClientCall,
  present: ClientRecord | undefined,
  key: KeyRecord | undefined,
  keyName: string,
  drawn: Drawn,
): ClientRecord => {
  const { input } = call
  if (present !== undefined && input.key !== undefined && input.key !== present.key) {
    throw invalid('key modification is not allowed')
  }
  if (key === undefined) throw invalid(`key "${keyName}" does not exist`)
  const idTokenTtl = input.id_token_ttl ?? present?.idTokenTtl ?? TTL_SECONDS
  if (idTokenTtl > key.verificationTtl) {
    throw invalid(
      "a client's id_token_ttl cannot be greater than the verification_ttl of the key it references",
    )
  }
  const type = input.client_type ?? present?.type ?? 'confidential'
  if (present !== undefined && type !== present.type) {
    throw invalid('client_type modification is not allowed')
  }
  if (type !== 'confidential' && type !== 'public') throw invalid(`invalid client_type "${type}"`)
  return {
    name: input.name,
    redirectUris:
      input.redirect_uris === undefined
        ? (present?.redirectUris ?? [])
        : sortedSet(input.redirect_uris),
    assignments: assignmentsOf(call, present),
    key: key.name,
    idTokenTtl,
    accessTokenTtl: input.access_token_ttl ?? present?.accessTokenTtl ?? TTL_SECONDS,
    type,
    authorizationCode: input.authorization_code ?? present?.authorizationCode ?? true,
    clientCredentials: input.client_credentials ?? present?.clientCredentials ?? false,
    clientId: present?.clientId ?? drawn.clientId,
    clientSecret: present?.clientSecret ?? (type === 'public' ? '' : drawn.clientSecret),
    ...sessionSettings(input, present),
  }
}

const assignmentsOf = (
  { input }: ClientCall,
  present: ClientRecord | undefined,
): readonly string[] =>
  input.assignments === undefined ? (present?.assignments ?? []) : sortedSet(input.assignments)

/** Counts a client on the assignments that it gained or lost; `allow_all` cannot be deleted and counts nobody. */
const countAssignments = async (
  tx: Tx,
  place: Place,
  before: readonly string[],
  after: readonly string[],
): Promise<void> => {
  const changed = [
    ...after.filter((name) => !before.includes(name)).map((name) => ({ name, by: 1 })),
    ...before.filter((name) => !after.includes(name)).map((name) => ({ name, by: -1 })),
  ]
  for (const { name, by } of changed) {
    if (name === ALLOW_ALL.name) continue
    const assignment = await tx.get(assignmentRef(place, name))
    if (assignment === undefined) continue
    tx.put(assignmentRef(place, name), { ...assignment, clients: assignment.clients + by })
  }
}

/** Makes or changes a client (identity.md 5.8). Throws the recorded Refusals. */
const writeClient = async (call: ClientCall): Promise<void> => {
  const { input } = call
  const ref = clientRef(call, input.name)
  const seen = await call.records.get(ref)
  const keyName = seen?.key ?? input.key ?? 'default'
  const drawn: Drawn = {
    clientId: base62(call.randomBytes, CLIENT_ID_LENGTH.client),
    clientSecret: `hvo_secret_${base62(call.randomBytes, CLIENT_SECRET_LENGTH)}`,
  }
  if ((input.assignments?.length ?? 0) > limits.oidcReferences) {
    throw invalid(`a client has at most ${limits.oidcReferences} assignments`)
  }
  await referTo(call, keyName, async (tx, key) => {
    const present = await tx.get(ref)
    if (keyName !== (present?.key ?? input.key ?? 'default')) {
      throw new Refusal('unavailable', 'the client changes all the time; try again')
    }
    const assignments = assignmentsOf(call, present)
    for (const name of assignments) {
      if ((await findAssignment(tx, call, name)) === undefined) {
        throw invalid(`assignment "${name}" does not exist`)
      }
    }
    const client = written(call, present, key, keyName, drawn)
    putObject(tx, ref, client)
    await countAssignments(tx, call, present?.assignments ?? [], client.assignments)
    if (present === undefined) tx.put(clientIdRef(call, client.clientId), { name: client.name })
    const change = present === undefined ? 1 : 0
    return {
      key: key === undefined ? undefined : referred(key, 'clients', change),
      result: undefined,
    }
  })
}

const deleteClient = async (call: ClientCall): Promise<void> => {
  const ref = clientRef(call, call.input.name)
  await call.records.transact(async (tx) => {
    const client = await tx.get(ref)
    if (client === undefined) return
    tx.delete(ref)
    tx.delete(clientIdRef(call, client.clientId))
    await countAssignments(tx, call, client.assignments, [])
    const key = await findKey(tx, call, client.key)
    if (key !== undefined) putKey(tx, call, key, referred(key, 'clients', -1))
  })
}

const shown = (client: ClientRecord): Readonly<Record<string, unknown>> => ({
  redirect_uris: client.redirectUris,
  assignments: client.assignments,
  key: client.key,
  id_token_ttl: client.idTokenTtl,
  access_token_ttl: client.accessTokenTtl,
  client_id: client.clientId,
  client_type: client.type,
  client_credentials: client.clientCredentials,
  authorization_code: client.authorizationCode,
  ...shownSettings(client),
})

/** The routes of clients. */
export const clientRoutes: readonly Route[] = [
  route({
    path: 'oidc/client',
    summary: 'List the clients of OIDC providers',
    fields: {},
    verbs: {
      list: async ({ records, namespace }) => {
        const clients = await allByName(records, oidcClients.under(namespace.number))
        return listOf(
          clients.map(({ name }) => name),
          Object.fromEntries(clients.map((client) => [client.name, shown(client)])),
        )
      },
    },
  }),
  route({
    path: 'oidc/client/:name',
    summary: 'Create, read, update or delete a client of OIDC providers',
    fields,
    exists: (call) => clientRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const client = await call.records.get(clientRef(call, call.input.name))
        if (client === undefined) return undefined
        return data({
          ...shown(client),
          ...(client.type === 'public' ? {} : { client_secret: client.clientSecret }),
        })
      },
      update: async (call) => {
        await writeClient(call)
        return undefined
      },
      delete: async (call) => {
        await deleteClient(call)
        return undefined
      },
    },
  }),
]
