import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { failed, invalid, Refusal } from '../../engine/refusal.ts'
import type { ListPage } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import { firstOutside } from '../../std/cidr.ts'
import { pageFields } from '../../engine/sorted-names.ts'
import type { Role, SecretId } from './approle-records.ts'
import {
  accessorRef,
  isLive,
  roleAccessors,
  roleRef,
  secretIdHash,
  secretIdRef,
} from './approle-records.ts'
import { checkBlocks, checkLength, roleName } from './role.ts'
import { parseMetadata } from './secret-id-metadata.ts'

const madeFields = {
  role_name: roleName,
  metadata: field.string({
    default: '',
    description: 'Goes to the alias and the token: JSON of an object, its base64, or k=v,k2=v2',
  }),
  cidr_list: field.commaList({
    default: [],
    description: 'Blocks from which a login may come; inside those of the role',
  }),
  token_bound_cidrs: field.commaList({
    default: [],
    description: 'Blocks from which the tokens can be used; inside those of the role',
  }),
  num_uses: field.int({ description: 'Logins it is good for; default and limit: the role' }),
  ttl: field.duration({ description: 'Its lifetime; default and limit: the role' }),
}

/** One path makes them and lists their accessors. */
export const secretIdsFields = { ...madeFields, ...pageFields }

export const customFields = {
  ...madeFields,
  secret_id: field.string({ default: '', description: 'The secret id to register' }),
}

export const secretIdFields = {
  role_name: roleName,
  secret_id: field.string({ default: '', description: 'The secret id' }),
}

export const accessorFields = {
  role_name: roleName,
  secret_id_accessor: field.string({ default: '', description: 'Accessor of the secret id' }),
}

type MadeInput = InputOf<typeof madeFields>

/** Makes a random secret id. */
export const generateSecretId = (call: Call<MadeInput>) => registerSecretId(call, call.newId())

/** Registers the secret id that was sent. */
export const registerCustomSecretId = (call: Call<InputOf<typeof customFields>>) => {
  const { secret_id: secretId } = call.input
  if (secretId === '') throw invalid('missing secret_id')
  checkLength(secretId, 'secret_id')
  return registerSecretId(call, secretId)
}

const registerSecretId = async (call: Call<MadeInput>, secretId: string) => {
  const accessor = call.newId()
  const hash = secretIdHash(call, secretId)
  const made = await call.records.transact(async (tx) => {
    const role = await tx.get(roleRef(call, call.input.role_name))
    if (role === undefined) throw new Refusal('missing', noRole(call.input.role_name))
    const entry = newSecretId(call, role, accessor)
    const ref = secretIdRef(call, role.generation, hash)
    const before = await tx.get(ref)
    if (before !== undefined) {
      if (isLive(before, call.now)) {
        throw failed('failed to store secret_id: SecretID is already registered')
      }
      tx.delete(accessorRef(call, role.generation, before.accessor)!)
    }
    tx.put(ref, entry)
    tx.put(accessorRef(call, role.generation, accessor)!, {
      accessor,
      hash,
      expiresMs: entry.expiresMs,
    })
    return entry
  })
  return data({
    secret_id: secretId,
    secret_id_accessor: accessor,
    secret_id_ttl: made.ttlSeconds,
    secret_id_num_uses: made.usesLeft,
  })
}

/** The record of a new secret id. Throws the recorded refusals, in their order. */
const newSecretId = (
  { input, mount, now }: Pick<Call<MadeInput>, 'input' | 'mount' | 'now'>,
  role: Role,
  accessor: string,
): SecretId => {
  if (!role.bindSecretId) throw invalid('bind_secret_id is not set on the role')
  const uses = input.num_uses ?? role.secretIdNumUses
  if (uses < 0) throw invalid('num_uses cannot be negative')
  if (isLooser(uses, role.secretIdNumUses)) {
    throw invalid("num_uses cannot be higher than the role's secret_id_num_uses")
  }
  checkBlocks(input.cidr_list, 'failed to validate CIDR blocks')
  checkInside(input.cidr_list, role.secretIdBoundCidrs ?? [])
  checkBlocks(input.token_bound_cidrs, 'failed to validate token CIDR blocks')
  checkInside(input.token_bound_cidrs, role.token.parameters.boundCidrs)
  const ttl = input.ttl ?? role.secretIdTtlSeconds
  if (isLooser(ttl, role.secretIdTtlSeconds)) {
    throw invalid("ttl cannot be longer than the role's secret_id_ttl")
  }
  const ttlSeconds = Math.min(ttl, mount.maxLeaseTtlSeconds)
  return {
    accessor,
    usesLeft: uses,
    ttlSeconds,
    expiresMs: ttlSeconds === 0 ? 0 : now + ttlSeconds * 1000,
    createdMs: now,
    metadata: parseMetadata(input.metadata),
    cidrs: input.cidr_list,
    tokenBoundCidrs: input.token_bound_cidrs,
  }
}

/** Whether a limit is looser than the role's; 0 is none. */
const isLooser = (wanted: number, most: number): boolean =>
  most > 0 && (wanted === 0 || wanted > most)

const checkInside = (inner: readonly string[], outer: readonly string[]): void => {
  if (outer.length === 0 || firstOutside(inner, outer) === undefined) return
  throw failed(
    'failed to verify subset relationship between CIDR blocks on the role ' +
      `${quoted(outer.map(withMask))} and CIDR blocks on the secret ID ${quoted(inner)}: %!w(<nil>)`,
  )
}

const withMask = (cidr: string): string => {
  if (cidr.includes('/')) return cidr
  return cidr.includes(':') ? `${cidr}/128` : `${cidr}/32`
}

const quoted = (texts: readonly string[]): string =>
  `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`

const noRole = (name: string): string => `role "${name}" does not exist`

/** Accessors of the live secret ids of a role. */
export const listSecretIds = async (call: Call<InputOf<typeof secretIdsFields>>) => {
  const role = await call.records.get(roleRef(call, call.input.role_name))
  if (role === undefined) throw invalid(noRole(call.input.role_name))
  return listPages(accessorPages(call, role))
}

const accessorPages = async function* (
  call: Call<InputOf<typeof secretIdsFields>>,
  role: Role,
): AsyncIterable<ListPage> {
  const { after, limit } = call.input
  const from = idBytes(after)
  let left = limit > 0 ? limit : Infinity
  const range = roleAccessors(call, role.generation)
  for await (const page of call.records.scan(range, from === undefined ? {} : { after: from })) {
    const keys = page
      .filter(({ value }) => isLive(value, call.now) && value.accessor > after)
      .map(({ value }) => value.accessor)
      .slice(0, left)
    left -= keys.length
    if (keys.length > 0) yield { keys }
    if (left <= 0) return
  }
}

/** Shows a secret id; nothing (204) for an unknown one. */
export const lookUpSecretId = async (call: Call<InputOf<typeof secretIdFields>>) => {
  const { role_name: name, secret_id: secretId } = call.input
  if (secretId === '') throw invalid('missing secret_id')
  const role = await call.records.get(roleRef(call, name))
  if (role === undefined) throw failed(noRole(name))
  const hash = secretIdHash(call, secretId)
  const found = await call.records.get(secretIdRef(call, role.generation, hash))
  return found !== undefined && isLive(found, call.now) ? data(shownSecretId(found)) : undefined
}

/** Removes a secret id; an unknown one is gone already. */
export const destroySecretId = async (call: Call<InputOf<typeof secretIdFields>>) => {
  const { role_name: name, secret_id: secretId } = call.input
  if (secretId === '') throw invalid('missing secret_id')
  const hash = secretIdHash(call, secretId)
  await call.records.transact(async (tx) => {
    const role = await tx.get(roleRef(call, name))
    if (role === undefined) throw failed(noRole(name))
    const found = await tx.get(secretIdRef(call, role.generation, hash))
    if (found !== undefined) removeSecretId(call, tx, role, hash, found.accessor)
  })
  return undefined
}

/** Shows the secret id of an accessor. */
export const lookUpAccessor = async (call: Call<InputOf<typeof accessorFields>>) => {
  const { role_name: name, secret_id_accessor: accessor } = call.input
  if (accessor === '') throw invalid('missing secret_id_accessor')
  const role = await call.records.get(roleRef(call, name))
  if (role === undefined) throw failed(noRole(name))
  const ref = accessorRef(call, role.generation, accessor)
  const entry = ref && (await call.records.get(ref))
  const found = entry && (await call.records.get(secretIdRef(call, role.generation, entry.hash)))
  if (found === undefined || found.accessor !== accessor || !isLive(found, call.now)) {
    return data({ error: noAccessor(accessor) }, { status: 404 })
  }
  return data(shownSecretId(found))
}

/** Removes the secret id of an accessor. */
export const destroyAccessor = async (call: Call<InputOf<typeof accessorFields>>) => {
  const { role_name: name, secret_id_accessor: accessor } = call.input
  if (accessor === '') throw invalid('missing secret_id_accessor')
  await call.records.transact(async (tx) => {
    const role = await tx.get(roleRef(call, name))
    if (role === undefined) throw failed(noRole(name))
    const ref = accessorRef(call, role.generation, accessor)
    const entry = ref && (await tx.get(ref))
    if (entry === undefined) throw failed(noAccessor(accessor))
    removeSecretId(call, tx, role, entry.hash, accessor)
  })
  return undefined
}

/** Takes away a secret id and what finds it by its accessor. */
export const removeSecretId = (
  place: Pick<Call, 'namespace' | 'mount' | 'names'>,
  tx: Tx,
  { generation }: Role,
  hash: string,
  accessor: string,
): void => {
  tx.delete(secretIdRef(place, generation, hash))
  tx.delete(accessorRef(place, generation, accessor)!)
}

const noAccessor = (accessor: string): string =>
  `failed to find accessor entry for secret_id_accessor: ${JSON.stringify(accessor)}`

const NEVER = '0001-01-01T00:00:00Z'

const shownTime = (ms: number): string =>
  ms === 0 ? NEVER : new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z')

const shownSecretId = (entry: SecretId): Readonly<Record<string, unknown>> => ({
  cidr_list: entry.cidrs,
  creation_time: shownTime(entry.createdMs),
  expiration_time: shownTime(entry.expiresMs),
  last_updated_time: shownTime(entry.createdMs),
  metadata: entry.metadata,
  secret_id_accessor: entry.accessor,
  secret_id_num_uses: entry.usesLeft,
  secret_id_ttl: entry.ttlSeconds,
  token_bound_cidrs: entry.tokenBoundCidrs,
})
