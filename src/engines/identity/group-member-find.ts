import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Ref, Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import type { Hint } from '../../engine/refusal.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import { entityNameRef, entityRef } from './entity-record.ts'
import type { MembersAsked } from './group-member-input.ts'
import { byId, byName } from './group-read.ts'
import { groupNameRef, knownGroupAliasRef, knownGroupRef } from './group-record.ts'
import { nameHint } from './hints.ts'
import type { MemberKind } from './membership-due.ts'
import type { GroupRecord } from './records.ts'

type FindCall = Pick<Call, 'names' | 'namespace' | 'records' | 'now'>

/** The group whose members a request is about. */
export type GroupNamed = { readonly id: string } | { readonly name: string }

/** The group. Throws a Refusal (404) that says what there is not. */
export const groupNamed = async (
  tx: Tx,
  call: FindCall,
  wanted: GroupNamed,
): Promise<GroupRecord> => {
  const find = 'id' in wanted ? byId(call, wanted.id) : byName(call, wanted.name)
  const group = await find(tx)
  if (group !== undefined) return group
  if ('name' in wanted) {
    throw new Refusal('missing', `no group named ${JSON.stringify(wanted.name)}`)
  }
  const owner = await tx.peek(groupNameRef(call.names, call.namespace.number, wanted.id))
  throw new Refusal('missing', `no group with the id ${JSON.stringify(wanted.id)}`, {
    hints: nameHint('group', wanted.id, owner?.id),
  })
}

/** Refuses a group whose members nobody sets, and says where they come from. */
export const refuseExternal = async (
  tx: Tx,
  { namespace }: FindCall,
  mounts: MountDirectory,
  group: GroupRecord,
): Promise<void> => {
  if (group.type !== 'external') return
  const alias =
    group.aliasId === undefined
      ? undefined
      : await tx.get(knownGroupAliasRef(namespace.number, group.aliasId))
  const mount = alias === undefined ? undefined : await mounts.byAccessor(alias.mountAccessor)
  const from =
    mount === undefined
      ? 'logins, through a group alias, which it does not have (identity/group-alias)'
      : `logins through ${mount.path.replace(/^auth\//, '')}`
  throw invalid(`members of the external group ${JSON.stringify(group.name)} come from ${from}`)
}

/** A member that a request means. */
export interface Named {
  readonly kind: MemberKind
  readonly id: string
  /** '' when there is no such entity or group (any more). */
  readonly name: string
}

/** Unknown members that a refusal names; of more, it tells the count. */
const TOLD = 20

/**
 * The members that a request means, each once: entities, then groups, in the order they were sent. Nothing of it is a check of
 * the commit, of which there would be too many: whoever changes a member reads its record, name included. Throws a Refusal that lists all who are unknown; with `lenient`, ids
 * of which there is nothing are not refused: a member to be removed may be gone already.
 */
export const membersNamed = async (
  call: FindCall,
  asked: MembersAsked,
  lenient: boolean,
): Promise<readonly Named[]> => {
  const unknown: string[] = []
  const hints: Hint[] = []
  const entities = await resolve(call, 'entity', asked.entityIds, asked.entityNames, lenient)
  const groups = await resolve(call, 'group', asked.groupIds, asked.groupNames, lenient)
  for (const each of [entities, groups]) {
    unknown.push(...each.unknown)
    hints.push(...each.hints)
  }
  if (unknown.length > 0) {
    const more = unknown.length > TOLD ? ` and ${unknown.length - TOLD} more` : ''
    throw invalid(`${unknown.slice(0, TOLD).join(', ')}${more}`, { hints })
  }
  return [...entities.found, ...groups.found]
}

interface Resolved {
  readonly found: readonly Named[]
  readonly unknown: readonly string[]
  readonly hints: readonly Hint[]
}

const resolve = async (
  { names, namespace: { number: namespace }, records }: FindCall,
  kind: MemberKind,
  ids: readonly string[],
  byNames: readonly string[],
  lenient: boolean,
): Promise<Resolved> => {
  const nameRef = (name: string): Ref<{ readonly id: string }> =>
    kind === 'entity' ? entityNameRef(names, namespace, name) : groupNameRef(names, namespace, name)
  const recordRef = (id: string): Ref<{ readonly name: string }> =>
    kind === 'entity' ? entityRef(namespace, id) : knownGroupRef(namespace, id)

  const owners = await records.getMany(byNames.map(nameRef))
  const meant = [
    ...ids.map((id) => ({ id: idBytes(id) === undefined ? undefined : id, text: id, byId: true })),
    ...byNames.map((name, index) => ({ id: owners[index]?.id, text: name, byId: false })),
  ]
  const known = [...new Set(meant.flatMap(({ id }) => id ?? []))]
  const found = await records.getMany(known.map(recordRef))
  const nameOf = new Map(known.map((id, index) => [id, found[index]?.name]))
  const members = new Map<string, Named>()
  const unknown: string[] = []
  const hints: Hint[] = []
  for (const { id, text, byId: sentId } of meant) {
    const name = id === undefined ? undefined : nameOf.get(id)
    if (id !== undefined && (name !== undefined || (sentId && lenient))) {
      members.set(id, { kind, id, name: name ?? '' })
      continue
    }
    unknown.push(`no ${kind} ${sentId ? 'with the id' : 'named'} ${JSON.stringify(text)}`)
    if (sentId && hints.length < TOLD) {
      hints.push(...nameHint(kind, text, (await records.get(nameRef(text)))?.id))
    }
  }
  return { found: [...members.values()], unknown, hints }
}
