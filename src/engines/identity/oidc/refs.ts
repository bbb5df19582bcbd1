import type { Call } from '../../../engine/call.ts'
import type { Names, RecordRange, Records, Ref, Tx } from '../../../engine/records.ts'
import { idBytes } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import { compareBytes } from '../../../std/json.ts'
import {
  oidcAssignments,
  oidcClientIds,
  oidcClients,
  oidcCodes,
  oidcConfigs,
  oidcDevices,
  oidcEntitySessions,
  oidcGuesses,
  oidcKeys,
  oidcPrivateKeys,
  oidcProviders,
  oidcRevoked,
  oidcRoles,
  oidcScopes,
  oidcSessions,
  oidcSignInSessions,
  oidcUserCodes,
} from './records.ts'

/** Where OIDC's records are: what a lookup needs of the request. */
export interface Place {
  readonly names: Names
  readonly namespace: Pick<Call['namespace'], 'number'>
}

const at =
  (kind: string) =>
  ({ names, namespace }: Place, name: string): readonly [number, Uint8Array] => [
    namespace.number,
    names.hash(kind, name),
  ]

const keyAt = at('oidc-key')
const roleAt = at('oidc-role')
const assignmentAt = at('oidc-assignment')
const scopeAt = at('oidc-scope')
const clientAt = at('oidc-client')
const clientIdAt = at('oidc-client-id')
const providerAt = at('oidc-provider')
const codeAt = at('oidc-code')

/** The one record of the issuer. */
export const configRef = ({ namespace }: Pick<Place, 'namespace'>) =>
  oidcConfigs.at(namespace.number)
/** A named key. */
export const keyRef = (place: Place, name: string) => oidcKeys.at(...keyAt(place, name))
/** The private keys of a named key. */
export const privateKeysRef = (place: Place, name: string) =>
  oidcPrivateKeys.at(...keyAt(place, name))
/** A role. */
export const roleRef = (place: Place, name: string) => oidcRoles.at(...roleAt(place, name))
/** An assignment. */
export const assignmentRef = (place: Place, name: string) =>
  oidcAssignments.at(...assignmentAt(place, name))
/** A scope. */
export const scopeRef = (place: Place, name: string) => oidcScopes.at(...scopeAt(place, name))
/** A client by name. */
export const clientRef = (place: Place, name: string) => oidcClients.at(...clientAt(place, name))
/** The name of the client of a client id. */
export const clientIdRef = (place: Place, id: string) => oidcClientIds.at(...clientIdAt(place, id))
/** A provider. */
export const providerRef = (place: Place, name: string) =>
  oidcProviders.at(...providerAt(place, name))
/** An authorization code by its text. */
export const codeRef = (place: Place, code: string) => oidcCodes.at(...codeAt(place, code))

type InNamespace = Pick<Place, 'namespace'>

/** The bytes of an id that the server made. */
const madeId = (id: string): Uint8Array => {
  const bytes = idBytes(id)
  if (bytes === undefined) throw new Error('not an id of this server')
  return bytes
}

/** An offline session. */
export const sessionRef = ({ namespace }: InNamespace, id: string) =>
  oidcSessions.at(namespace.number, madeId(id))
/** An offline session among those of its entity. */
export const entitySessionRef = ({ namespace }: InNamespace, entityId: string, id: string) =>
  oidcEntitySessions.at(namespace.number, madeId(entityId), madeId(id))
/** All offline sessions of an entity. */
export const entitySessions = ({ namespace }: InNamespace, entityId: string) =>
  oidcEntitySessions.under(namespace.number, madeId(entityId))
/** An offline session among those of its sign-in session. */
export const signInSessionRef = ({ names, namespace }: Place, sid: string, id: string) =>
  oidcSignInSessions.at(namespace.number, names.hash('oidc-sid', sid), madeId(id))
/** All offline sessions of a sign-in session. */
export const signInSessions = ({ names, namespace }: Place, sid: string) =>
  oidcSignInSessions.under(namespace.number, names.hash('oidc-sid', sid))
/** A revoked access token. */
export const revokedRef = ({ namespace }: InNamespace, tokenId: string) =>
  oidcRevoked.at(namespace.number, madeId(tokenId))
/** A waiting device by the hash of its code. */
export const deviceRef = ({ namespace }: InNamespace, hash: Uint8Array) =>
  oidcDevices.at(namespace.number, hash)
/** A user code by its hash. */
export const userCodeRef = ({ namespace }: InNamespace, hash: Uint8Array) =>
  oidcUserCodes.at(namespace.number, hash)
/** An entity's wrong user codes. */
export const guessesRef = ({ namespace }: InNamespace, entityId: string) =>
  oidcGuesses.at(namespace.number, madeId(entityId))

/** Throws a Refusal when an object that a person wrote is too large to keep. */
export const checkSize = <T>(ref: Ref<T>, value: T): void => {
  if (ref.kind.encode(value).length > limits.oidcObjectBytes) {
    throw invalid(`the object is too large: at most ${limits.oidcObjectBytes} bytes are kept`)
  }
}

/** Puts an object that a person wrote. Throws a Refusal when it is too large to keep. */
export const putObject = <T>(tx: Tx, ref: Ref<T>, value: T): void => {
  checkSize(ref, value)
  tx.put(ref, value)
}

/** Every record of a range that `keeps` lets through, ordered by name; for what an administrator made, a few thousand at most. */
export const allByName = async <T extends { readonly name: string }>(
  records: Records,
  range: RecordRange<T>,
  keeps: (value: T) => boolean = () => true,
): Promise<readonly T[]> => {
  const found: T[] = []
  for await (const page of records.scan(range)) {
    for (const { value } of page) if (keeps(value)) found.push(value)
    if (found.length > limits.sortedNames) {
      throw invalid(`there are more than ${limits.sortedNames} names`)
    }
  }
  return found.sort((a, b) => compareBytes(a.name, b.name))
}

/** A list without what the reference leaves out: each once, in byte order. */
export const sortedSet = (list: readonly string[]): string[] =>
  [...new Set(list)].sort(compareBytes)
