import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Names } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { entityOf, methodOf, ownEntity } from './enrolment.ts'
import type { TotpSecret } from './records.ts'
import { findSecret, putSecret } from './refs.ts'
import { base32 } from './totp.ts'

/** Codes of a set. */
const CODES = 10

/** Letters and digits of a code: 50 bits. */
const LENGTH = 10

const FORM = /^[A-Z2-7]{10}$/

/** A code in its one form; undefined for a text that is none, such as a passcode of digits. */
const canonical = (text: string): string | undefined => {
  const plain = text.toUpperCase().replace(/[\s-]/g, '')
  return FORM.test(plain) ? plain : undefined
}

/** What is kept of a code that stands in for a secret; undefined for a text that is none. */
export const backupCodeHash = (
  names: Names,
  { id }: Pick<TotpSecret, 'id'>,
  text: string,
): string | undefined => {
  const code = canonical(text)
  if (code === undefined) return undefined
  // Keyed with a key of this server and bound to its secret: what is stored can be neither tried out elsewhere nor compared.
  const hash = names.hash('mfa-backup-code', `${id}/${code}`)
  return Buffer.from(hash).toString('hex')
}

const drawCode = (randomBytes: Call['randomBytes']): string => {
  const code = base32(randomBytes(7)).slice(0, LENGTH)
  return `${code.slice(0, 5)}-${code.slice(5)}`.toLowerCase()
}

type CodesCall = Pick<
  Call,
  'caller' | 'names' | 'namespace' | 'newId' | 'randomBytes' | 'records' | 'warn'
>

/** Makes ten codes in the place of all there were, and shows them this once. Throws a Refusal without a TOTP secret. */
const makeCodes = async (
  call: CodesCall,
  methodId: string,
  whom: ReturnType<typeof ownEntity>,
): Promise<Result> => {
  if (methodId === '') throw invalid('missing method ID')
  if (whom.id === '') throw invalid('missing entityID')
  const codes = Array.from({ length: CODES }, () => drawCode(call.randomBytes))
  await call.records.transact(async (tx) => {
    await methodOf(tx, call, methodId)
    const entity = await whom.find(tx)
    if (entity === undefined) throw invalid('invalid entity ID')
    const secret = await findSecret(tx, call, entity.id, methodId)
    if (secret === undefined) {
      throw invalid('the entity has no secret for this MFA method: backup codes stand in for one')
    }
    const hashes = codes.map((code) => backupCodeHash(call.names, secret, code)!)
    await putSecret(tx, call, entity.id, methodId, { ...secret, backupCodes: hashes })
  })
  return data({ backup_codes: codes, remaining: codes.length })
}

/** How many codes are left; undefined where none were made. */
const countCodes = async (
  call: CodesCall,
  methodId: string,
  whom: ReturnType<typeof ownEntity>,
): Promise<Result> => {
  if (methodId === '') throw invalid('missing method ID')
  if (whom.id === '') throw invalid('missing entityID')
  const left = await call.records.transact(async (tx) => {
    await methodOf(tx, call, methodId)
    const entity = await whom.find(tx)
    if (entity === undefined) throw invalid('invalid entity ID')
    return (await findSecret(tx, call, entity.id, methodId))?.backupCodes?.length
  })
  return left === undefined ? undefined : data({ remaining: left })
}

const methodId = field.string({ default: '', description: 'Id of the TOTP method' })
const entityId = field.string({ default: '', description: 'Id of the entity' })

/** The routes of backup codes: what stands in for a passcode when the authenticator is lost. */
export const backupCodeRoutes: readonly Route[] = [
  route({
    path: 'mfa/method/totp/backup-codes',
    summary: "Make the caller's own backup codes for a TOTP method, or count those left",
    fields: { method_id: methodId },
    verbs: {
      read: (call) => countCodes(call, call.input.method_id, ownEntity(call)),
      update: (call) => makeCodes(call, call.input.method_id, ownEntity(call)),
    },
  }),
  route({
    path: 'mfa/method/totp/admin-backup-codes',
    summary: "Make an entity's backup codes for a TOTP method, or count those left",
    fields: { method_id: methodId, entity_id: entityId },
    verbs: {
      read: (call) => countCodes(call, call.input.method_id, entityOf(call, call.input.entity_id)),
      update: (call) => makeCodes(call, call.input.method_id, entityOf(call, call.input.entity_id)),
    },
  }),
]
