import type { Call, Mount } from '../../../engine/call.ts'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import type { Tx } from '../../../engine/records.ts'
import { entityNameRef, findEntity, mergedRef } from '../entity-record.ts'
import { groupNameRef, knownGroupRef } from '../group-record.ts'
import type { EntityRecord, GroupRecord } from '../records.ts'
import type { OnMount } from './line.ts'
import type { Conflict, Outcome } from './outcome.ts'
import { refused } from './outcome.ts'

/** What an import uses of its request. */
export type ImportCall = Pick<
  Call,
  'names' | 'namespace' | 'now' | 'records' | 'caller' | 'newId' | 'randomBytes'
>

/** What taking a line in is given besides the transaction. */
export interface LineScope {
  readonly call: ImportCall
  readonly mounts: MountDirectory
  readonly conflict: Conflict
  /** An id for what the line makes, if it says none; the same however often the transaction runs. */
  readonly newId: string
  /** Groups that this run of the transaction has counted a write of already. */
  readonly counted: Set<string>
}

/** Whether a value is what was looked for, or the outcome of a line for which it is not there. */
export const isOutcome = (value: object): value is Outcome => 'result' in value

/**
 * The entity that a line means: of the id, or the one it was merged into; by name where no id is said, and where what is here
 * goes before what is imported.
 */
export const entityOf = async (
  tx: Tx,
  { call: { names, namespace }, conflict }: LineScope,
  id: string | undefined,
  name: string | undefined,
): Promise<EntityRecord | Outcome> => {
  if (id !== undefined) {
    const found = await findEntity(tx, namespace.number, id)
    if (found !== undefined) return found
    const survivor = await tx.get(mergedRef(namespace.number, id))
    const merged = survivor && (await findEntity(tx, namespace.number, survivor.id))
    if (merged !== undefined) return merged
  }
  if (name !== undefined && (id === undefined || conflict !== 'refuse')) {
    const owner = await tx.get(entityNameRef(names, namespace.number, name))
    const found = owner && (await findEntity(tx, namespace.number, owner.id))
    if (found !== undefined) return found
  }
  const meant = id ?? name!
  return refused(
    `there is no entity of the ${id === undefined ? 'name' : 'id'} ${JSON.stringify(meant)}`,
    `entity:${meant}`,
  )
}

/** The same for a group. */
export const groupOf = async (
  tx: Tx,
  { call: { names, namespace }, conflict }: LineScope,
  id: string | undefined,
  name: string | undefined,
): Promise<GroupRecord | Outcome> => {
  if (id !== undefined) {
    const found = await tx.get(knownGroupRef(namespace.number, id))
    if (found !== undefined) return found
  }
  if (name !== undefined && (id === undefined || conflict !== 'refuse')) {
    const owner = await tx.get(groupNameRef(names, namespace.number, name))
    const found = owner && (await tx.get(knownGroupRef(namespace.number, owner.id)))
    if (found !== undefined) return found
  }
  const meant = id ?? name!
  return refused(
    `there is no group of the ${id === undefined ? 'name' : 'id'} ${JSON.stringify(meant)}`,
    `group:${meant}`,
  )
}

/** The mount of a line: at the path it names, `auth/` or not, else of the accessor. What it makes rests on the mount. */
export const mountOfLine = async (
  tx: Tx,
  { mounts }: LineScope,
  line: OnMount,
): Promise<Mount | Outcome> => {
  const { mount_path: path, mount_accessor: accessor, mount_type: type } = line
  let mount: Mount | undefined
  if (path === undefined) mount = await mounts.byAccessor(accessor!)
  else {
    const folder = path.endsWith('/') ? path : `${path}/`
    mount = (await mounts.byPath(`auth/${folder}`)) ?? (await mounts.byPath(folder))
  }
  if (mount === undefined) {
    return path === undefined
      ? refused(`there is no mount with the accessor ${JSON.stringify(accessor)}: name mount_path`)
      : refused(`nothing is mounted at ${JSON.stringify(path)}: enable it first`, `mount:${path}`)
  }
  if (type !== undefined && mount.type !== type) {
    return refused(`${mount.path} is of type ${mount.type}, not ${type}`)
  }
  await mounts.check(tx, mount)
  return mount
}
