import type { Call, Mount, Namespace } from '../../engine/call.ts'
import { dropRange } from '../../engine/drop-range.ts'
import type { RecordRange, Records, Ref } from '../../engine/records.ts'
import { idBytes, recordKind } from '../../engine/records.ts'
import { goLower } from '../../std/go-lower.ts'
import { allFailures } from '../shared/lockout.ts'
import type { TokenSettings } from '../shared/token-fields.ts'

/*
 * What an AppRole mount stores. Secret ids hang under the generation of their role, not under its name: whoever deletes the
 * role takes the generation away, so all of its secret ids are dead in that one commit.
 */

/** `ar/<ns><mount>H('approle-role', name)` */
export interface Role {
  /** In lower case. */
  readonly name: string
  /** A uuid made with the role; its secret ids are kept under it. */
  readonly generation: string
  readonly roleId: string
  readonly bindSecretId: boolean
  /** As sent; null = none. */
  readonly secretIdBoundCidrs: readonly string[] | null
  /** 0 = unlimited */
  readonly secretIdNumUses: number
  /** 0 = for ever */
  readonly secretIdTtlSeconds: number
  readonly localSecretIds: boolean
  readonly token: TokenSettings
}
const roles = recordKind<Role>('ar')

/** `ari/<ns><mount>H('approle-role-id', role id)`: role ids are unique; written and deleted with the role. */
export interface RoleIdOwner {
  readonly role: string
}
const roleIds = recordKind<RoleIdOwner>('ari')

/** `as/<ns><mount><generation>H('approle-secret-id', secret id)` */
export interface SecretId {
  readonly accessor: string
  /** Uses left; 0 = unlimited. With the last use the record goes. */
  readonly usesLeft: number
  readonly ttlSeconds: number
  /** ms; 0 = never */
  readonly expiresMs: number
  readonly createdMs: number
  readonly metadata: Readonly<Record<string, string>>
  readonly cidrs: readonly string[]
  readonly tokenBoundCidrs: readonly string[]
}
const secretIds = recordKind<SecretId>('as')

/** `aa/<ns><mount><generation><accessor>`: finds the secret id by its accessor, in the order lists show. */
export interface AccessorEntry {
  readonly accessor: string
  /** The secret id's hash, as hex. */
  readonly hash: string
  readonly expiresMs: number
}
const accessors = recordKind<AccessorEntry>('aa')

/** `ag/<ns><mount><generation>`: a deleted role whose secret ids still take up room. */
export interface DeadGeneration {
  readonly generation: string
}
const deadGenerations = recordKind<DeadGeneration>('ag')

/** What says where a mount's records are. */
export type Place = Pick<Call, 'namespace' | 'mount' | 'names'>

const generationKey = (generation: string): Uint8Array => idBytes(generation)!

export const roleRef = ({ namespace, mount, names }: Place, name: string): Ref<Role> =>
  roles.at(namespace.number, mount.key, names.hash('approle-role', goLower(name)))

export const allRoles = ({ namespace, mount }: Place): RecordRange<Role> =>
  roles.under(namespace.number, mount.key)

export const roleIdRef = ({ namespace, mount, names }: Place, roleId: string): Ref<RoleIdOwner> =>
  roleIds.at(namespace.number, mount.key, names.hash('approle-role-id', roleId))

export const secretIdHash = ({ names }: Place, secretId: string): string =>
  Buffer.from(names.hash('approle-secret-id', secretId)).toString('hex')

export const secretIdRef = (
  { namespace, mount }: Place,
  generation: string,
  hash: string,
): Ref<SecretId> =>
  secretIds.at(
    namespace.number,
    mount.key,
    generationKey(generation),
    Uint8Array.from(Buffer.from(hash, 'hex')),
  )

/** Undefined for a text that is no accessor: nothing is kept there. */
export const accessorRef = (
  { namespace, mount }: Place,
  generation: string,
  accessor: string,
): Ref<AccessorEntry> | undefined => {
  const id = idBytes(accessor)
  return id && accessors.at(namespace.number, mount.key, generationKey(generation), id)
}

/** Accessors of a role's secret ids. */
export const roleAccessors = (
  { namespace, mount }: Place,
  generation: string,
): RecordRange<AccessorEntry> =>
  accessors.under(namespace.number, mount.key, generationKey(generation))

/** Accessors of all secret ids of the mount; a key's tail begins with the generation. */
export const allAccessors = ({ namespace, mount }: Place): RecordRange<AccessorEntry> =>
  accessors.under(namespace.number, mount.key)

export const deadGenerationRef = (
  { namespace, mount }: Place,
  generation: string,
): Ref<DeadGeneration> => deadGenerations.at(namespace.number, mount.key, generationKey(generation))

export const allDeadGenerations = ({ namespace, mount }: Place): RecordRange<DeadGeneration> =>
  deadGenerations.under(namespace.number, mount.key)

/** Whether a secret id still counts: an expired one does not, whoever asks (settled.md 1). */
export const isLive = (entry: { readonly expiresMs: number }, now: number): boolean =>
  entry.expiresMs === 0 || now < entry.expiresMs

/** Removes all that a mount stored, once it is disabled. May be broken off and run again. */
export const dropMount = async (
  records: Records,
  namespace: Namespace,
  mount: Pick<Mount, 'key'>,
): Promise<void> => {
  for (const kind of [roles, roleIds, secretIds, accessors, deadGenerations]) {
    await dropRange(records, kind.under(namespace.number, mount.key) as RecordRange<unknown>)
  }
  await dropRange(records, allFailures(namespace, mount))
}
