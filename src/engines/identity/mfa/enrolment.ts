import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import { failed, invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { findEntity } from '../entity-record.ts'
import type { EntityRecord } from '../records.ts'
import { findSubject } from '../subject.ts'
import { otpauthUrl, qrCode } from './otpauth.ts'
import type { MethodRecord, TotpMethod, TotpSecret } from './records.ts'
import { findMethod, findSecret, guessesRef, putSecret } from './refs.ts'

type EnrolCall = Pick<
  Call,
  'caller' | 'names' | 'namespace' | 'newId' | 'randomBytes' | 'records' | 'warn'
>

/** Whom a secret is for. `id`: as sent, '' for nothing; `find` gives the entity. */
interface Whom {
  readonly id: string
  readonly find: (tx: Tx) => Promise<EntityRecord | undefined>
}

/** The entity of an id that an administrator sent. */
export const entityOf = ({ namespace }: Pick<Call, 'namespace'>, id: string): Whom => ({
  id,
  find: (tx) => findEntity(tx, namespace.number, id),
})

/** The caller's own entity. */
export const ownEntity = ({ caller, namespace }: Pick<Call, 'caller' | 'namespace'>): Whom => {
  const id = caller?.entityId ?? ''
  return { id, find: (tx) => findSubject(tx, namespace.number, id) }
}

/** A new secret for a method, with the method's settings as they are now. */
export const drawSecret = (
  method: TotpMethod,
  { newId, randomBytes }: Pick<Call, 'newId' | 'randomBytes'>,
): TotpSecret => ({
  methodId: method.id,
  id: newId(),
  key: randomBytes(method.keySize).toString('base64'),
  algorithm: method.algorithm,
  digits: method.digits,
  period: method.period,
  skew: method.skew,
})

/** What shows a secret to the one it is for, this one time. */
export const shownSecret = async (
  method: TotpMethod,
  entityId: string,
  secret: TotpSecret,
): Promise<Result> => {
  const url = otpauthUrl(method, entityId, Buffer.from(secret.key, 'base64'))
  return data({ url, barcode: await qrCode(url, method.qrSize) })
}

/** The method of an id as sent. Throws the recorded Refusal when there is none. */
export const methodOf = async (
  tx: Tx,
  call: Pick<Call, 'names' | 'namespace'>,
  id: string,
): Promise<MethodRecord> => {
  const method = await findMethod(tx, call, id)
  if (method === undefined) throw invalid(`configuration for method ID "${id}" does not exist`)
  return method
}

/**
 * Gives an entity a secret for a TOTP method and shows it; one that has a secret keeps it, and is told so (identity.md 6.2).
 * Throws the recorded Refusals.
 */
const generate = async (call: EnrolCall, methodId: string, whom: Whom): Promise<Result> => {
  if (methodId === '') throw invalid('missing method ID')
  if (whom.id === '') throw invalid('missing entityID')
  // How long the key is depends on the method, which is read again in the transaction.
  const seen = await findMethod(call.records, call, methodId)
  const drawn = seen?.type === 'totp' ? drawSecret(seen, call) : undefined
  const made = await call.records.transact(async (tx) => {
    const method = await methodOf(tx, call, methodId)
    if (method.type !== 'totp') {
      throw invalid(`generate not available for MFA type "${method.type}"`)
    }
    const entity = await whom.find(tx)
    if (entity === undefined) throw invalid('invalid entity ID')
    if ((await findSecret(tx, call, entity.id, methodId)) !== undefined) return { method }
    if (drawn === undefined)
      throw invalid(`configuration for method ID "${methodId}" has just been made; try again`)
    const secret: TotpSecret = { ...drawn, ...settingsOf(method) }
    await putSecret(tx, call, entity.id, methodId, secret)
    return { method, secret, entityId: entity.id }
  })
  if (made.secret === undefined) {
    call.warn(`Entity already has a secret for MFA method ${JSON.stringify(made.method.name)}`)
    return data(null)
  }
  return shownSecret(made.method, made.entityId, made.secret)
}

const settingsOf = ({ algorithm, digits, period, skew }: TotpMethod) => ({
  algorithm,
  digits,
  period,
  skew,
})

/** Takes an entity's secret and backup codes for a TOTP method away; nothing happens where there are none. */
const destroy = async (call: EnrolCall, methodId: string, whom: Whom): Promise<undefined> => {
  if (methodId === '') throw invalid('missing method ID')
  if (whom.id === '') throw invalid('missing entity ID')
  await call.records.transact(async (tx) => {
    const method = await methodOf(tx, call, methodId)
    if (method.type !== 'totp') throw failed('method ID does not match TOTP type')
    const entity = await whom.find(tx)
    if (entity === undefined) throw invalid('invalid entity ID')
    if ((await findSecret(tx, call, entity.id, methodId)) === undefined) return
    await putSecret(tx, call, entity.id, methodId, undefined)
    tx.delete(guessesRef(call, entity.id, methodId))
  })
  return undefined
}

const ownFields = {
  method_id: field.string({ default: '', description: 'Id of the TOTP method' }),
}

const adminFields = {
  ...ownFields,
  entity_id: field.string({ default: '', description: 'Id of the entity' }),
}

/** The routes that make and destroy TOTP secrets. */
export const enrolmentRoutes: readonly Route[] = [
  route({
    path: 'mfa/method/totp/generate',
    summary: "Make the caller's own secret for a TOTP method",
    fields: ownFields,
    verbs: { update: (call) => generate(call, call.input.method_id, ownEntity(call)) },
  }),
  route({
    path: 'mfa/method/totp/admin-generate',
    summary: "Make an entity's secret for a TOTP method",
    fields: adminFields,
    verbs: {
      update: (call) => generate(call, call.input.method_id, entityOf(call, call.input.entity_id)),
    },
  }),
  route({
    path: 'mfa/method/totp/admin-destroy',
    summary: "Take an entity's secret for a TOTP method away",
    fields: adminFields,
    verbs: {
      update: (call) => destroy(call, call.input.method_id, entityOf(call, call.input.entity_id)),
    },
  }),
]
