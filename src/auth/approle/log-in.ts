import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Reader, Tx } from '../../engine/records.ts'
import { invalid, Refusal } from '../../engine/refusal.ts'
import type { Login, LoginResult, TokenParameters } from '../../engine/result.ts'
import { login } from '../../engine/result.ts'
import { cidrsContain, normalCidr } from '../../std/cidr.ts'
import type { Lockout } from '../shared/lockout.ts'
import type { Role, SecretId } from './approle-records.ts'
import { isLive, secretIdHash, secretIdRef } from './approle-records.ts'
import { roleOfId } from './role.ts'
import { removeSecretId } from './secret-id.ts'

export const loginFields = {
  role_id: field.string({ default: '', description: 'Role id' }),
  secret_id: field.string({
    default: '',
    description: 'Secret id; not needed when the role does not bind one',
  }),
}

type LoginCall = Call<InputOf<typeof loginFields>>

/** What a login presents and what was found for it. */
interface Presented {
  readonly role: Role
  /** Undefined when the role asks for none. */
  readonly secret: { readonly hash: string; readonly entry: SecretId } | undefined
}

/**
 * Logs in with a role id and a secret id. Judged in the login's own transaction, whose commit spends the use, so that the last use
 * has one winner (architecture.md E5); a wrong guess is counted after it.
 */
export const logIn = (call: LoginCall, lockout: Lockout): LoginResult => {
  const roleId = neededRoleId(call)
  let known = false
  let wrong: Refusal | undefined
  return login(
    async (tx) => {
      await lockout.check(call, roleId, tx)
      const role = await roleOfId(call, tx, roleId)
      known = role !== undefined
      const presented = role && (await present(call, tx, role))
      if (presented === undefined) throw (wrong = invalid('invalid role or secret ID'))
      await lockout.succeeded(call, tx, roleId)
      spendUse(call, tx, presented)
      return loginOf(presented)
    },
    {
      refused: async (error) => {
        if (wrong !== undefined && error === wrong) await lockout.failed(call, roleId, known)
      },
      presented: JSON.stringify([roleId, call.input.secret_id, call.remoteAddress]),
    },
  )
}

/** The role id, or the refusal of any request to the login path that has none: nobody is there to lock out. */
export const neededRoleId = ({ input }: LoginCall): string => {
  const roleId = input.role_id.trim()
  if (roleId === '') throw new Refusal('failed', 'missing role_id')
  return roleId
}

/** Undefined for a secret id that is unknown, used up or expired. Throws what else is wrong with the request. */
const present = async (
  call: LoginCall,
  reader: Reader,
  role: Role,
): Promise<Presented | undefined> => {
  const presented = await findSecret(call, reader, role)
  if (presented === undefined) return undefined
  const source = `source address "${call.remoteAddress}" unauthorized`
  const entry = presented.secret?.entry
  if (entry !== undefined && isOutside(entry.cidrs, call.remoteAddress)) {
    throw invalid(
      entry.usesLeft === 0
        ? `${source} through CIDR restrictions on the secret ID`
        : `${source} by CIDR restrictions on the secret ID: %!w(<nil>)`,
    )
  }
  if (isOutside(role.secretIdBoundCidrs ?? [], call.remoteAddress)) {
    throw invalid(`${source} by CIDR restrictions on the role: %!w(<nil>)`)
  }
  return presented
}

const findSecret = async (
  call: LoginCall,
  reader: Reader,
  role: Role,
): Promise<Presented | undefined> => {
  if (!role.bindSecretId) return { role, secret: undefined }
  const secretId = call.input.secret_id.trim()
  if (secretId === '') throw invalid('missing secret_id')
  const hash = secretIdHash(call, secretId)
  const entry = await reader.get(secretIdRef(call, role.generation, hash))
  return entry !== undefined && isLive(entry, call.now)
    ? { role, secret: { hash, entry } }
    : undefined
}

const isOutside = (cidrs: readonly string[], address: string): boolean =>
  cidrs.length > 0 && !cidrsContain(cidrs, address)

/** Unlimited secret ids write nothing. */
const spendUse = (call: LoginCall, tx: Tx, { role, secret }: Presented): void => {
  if (secret === undefined || secret.entry.usesLeft === 0) return
  const { hash, entry } = secret
  if (entry.usesLeft === 1) removeSecretId(call, tx, role, hash, entry.accessor)
  else {
    tx.put(secretIdRef(call, role.generation, hash), { ...entry, usesLeft: entry.usesLeft - 1 })
  }
}

const loginOf = ({ role, secret }: Presented): Login => {
  const metadata = { ...secret?.entry.metadata, role_name: role.name }
  return {
    token: tokenOf(role, secret?.entry),
    displayName: '',
    metadata,
    alias: { name: role.roleId, metadata },
    internal: { role_name: role.name },
    ...(secret !== undefined && secret.entry.expiresMs > 0 && { until: secret.entry.expiresMs }),
  }
}

/** The secret id's own bounds, where it has some, take the place of the role's. */
const tokenOf = (role: Role, entry: SecretId | undefined): TokenParameters => {
  const { parameters } = role.token
  if (entry === undefined || entry.tokenBoundCidrs.length === 0) return parameters
  return { ...parameters, boundCidrs: entry.tokenBoundCidrs.map((cidr) => normalCidr(cidr)!) }
}
