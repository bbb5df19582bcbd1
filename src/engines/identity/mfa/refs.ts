import type { Call } from '../../../engine/call.ts'
import type { Names, Reader, Ref, Tx } from '../../../engine/records.ts'
import { idBytes } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import type { Guesses, MethodRecord, TotpSecret } from './records.ts'
import {
  mfaEnforcements,
  mfaMethodNames,
  mfaMethods,
  pendingDue,
  pendingLogins,
  totpGuesses,
  totpSecrets,
} from './records.ts'

/** Where MFA's records are: what a lookup needs of the request. */
export interface Place {
  readonly names: Names
  readonly namespace: Pick<Call['namespace'], 'number'>
}

/** Bytes of an id that we wrote ourselves; throws for one that never came from here (a bug, not bad input). */
const known = (id: string): Uint8Array => {
  const bytes = idBytes(id)
  if (bytes === undefined) throw new Error(`not an id: ${id}`)
  return bytes
}

/** A method of a stored id. */
export const methodRef = ({ namespace }: Place, id: string) =>
  mfaMethods.at(namespace.number, known(id))
/** Whose method name it is. */
export const methodNameRef = ({ names, namespace }: Place, name: string) =>
  mfaMethodNames.at(namespace.number, names.hash('mfa-method-name', name))
/** The one record of the enforcements. */
export const enforcementsRef = ({ namespace }: Place) => mfaEnforcements.at(namespace.number)
/** The secrets of an entity. */
export const secretsRef = ({ namespace }: Pick<Place, 'namespace'>, entityId: string) =>
  totpSecrets.at(namespace.number, known(entityId))
/** The guesses at an entity's passcodes for a method. */
export const guessesRef = (
  { namespace }: Pick<Place, 'namespace'>,
  entityId: string,
  methodId: string,
): Ref<Guesses> => totpGuesses.at(namespace.number, known(entityId), known(methodId))
/** A waiting login; undefined for a text that is no id, under which nothing is stored. */
export const pendingRef = ({ namespace }: Place, requestId: string) => {
  const bytes = idBytes(requestId)
  return bytes === undefined ? undefined : pendingLogins.at(namespace.number, bytes)
}

const TIME_BYTES = 6

/** The part of a due entry's key that orders by time (ms). */
export const timePart = (time: number): Uint8Array => {
  const bytes = Buffer.alloc(TIME_BYTES)
  bytes.writeUIntBE(Math.max(0, Math.min(Math.floor(time), 2 ** 48 - 1)), 0, TIME_BYTES)
  return bytes
}

/** Where the due entry of a waiting login is. */
export const pendingDueRef = ({ namespace }: Place, requestId: string, time: number) =>
  pendingDue.at(namespace.number, timePart(time), known(requestId))

/** The bytes of the request id in the tail of a due entry's key. */
export const dueRequest = (tail: Uint8Array): Uint8Array => tail.subarray(TIME_BYTES)

/** The method of an id as a client sent it. */
export const findMethod = async (
  reader: Reader,
  place: Place,
  id: string,
): Promise<MethodRecord | undefined> =>
  idBytes(id) === undefined ? undefined : reader.get(methodRef(place, id))

/** An entity's secret for a method. */
export const findSecret = async (
  reader: Reader,
  place: Pick<Place, 'namespace'>,
  entityId: string,
  methodId: string,
): Promise<TotpSecret | undefined> =>
  (await reader.get(secretsRef(place, entityId)))?.secrets.find(
    (secret) => secret.methodId === methodId,
  )

/** Puts a secret in the place of the entity's secret for the same method, or takes that away. */
export const putSecret = async (
  tx: Tx,
  place: Pick<Place, 'namespace'>,
  entityId: string,
  methodId: string,
  secret: TotpSecret | undefined,
): Promise<void> => {
  const ref = secretsRef(place, entityId)
  const others = ((await tx.get(ref))?.secrets ?? []).filter((one) => one.methodId !== methodId)
  const secrets = secret === undefined ? others : [...others, secret]
  if (secrets.length === 0) tx.delete(ref)
  else {
    if (secrets.length > limits.totpSecretsPerEntity) {
      throw invalid(`an entity has secrets for at most ${limits.totpSecretsPerEntity} MFA methods`)
    }
    tx.put(ref, { secrets })
  }
}

/** Puts an object that grows by requests. Throws a Refusal when it is too large to keep. */
export const putBounded = <T>(tx: Tx, ref: Ref<T>, value: T): void => {
  if (ref.kind.encode(value).length > limits.mfaObjectBytes) {
    throw invalid(`the object is too large: at most ${limits.mfaObjectBytes} bytes are kept`)
  }
  tx.put(ref, value)
}
