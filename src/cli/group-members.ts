import type { ApiClient } from '../client/api-client.ts'
import { ApiError } from '../client/api-error.ts'
import type { LiteralObject } from '../client/literal-json.ts'
import type { Secret } from '../client/secret.ts'
import { asking } from './command.ts'
import { remoteFailure } from './failure.ts'
import type { Group } from './identity-lookup.ts'
import { findGroup, isId } from './identity-lookup.ts'

/** Which members of a group. */
export type GroupMembers = 'entities' | 'groups'

/** What became of the ids asked for. */
export type MembersOutcome = {
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
}

// Each lost race is somebody else's success; many in a row mean that something writes without pause.
const ATTEMPTS = 10

const field = { entities: 'member_entity_ids', groups: 'member_group_ids' } as const

const membersOf = (group: Group, kind: GroupMembers): readonly string[] =>
  kind === 'entities' ? group.entityIds : group.groupIds

/**
 * Adds or removes members over an API that only replaces the whole list: reads it, writes it back changed, and reads it
 * again. Where somebody else's list replaced ours in between, it starts over from theirs. A change of theirs that ours
 * may have replaced cannot be seen in the list; the group's count of writes tells, and the command then fails openly.
 */
export const changeMembers = async (
  client: ApiClient,
  groupId: string,
  kind: GroupMembers,
  verb: 'add' | 'remove',
  ids: readonly string[],
): Promise<MembersOutcome> => {
  const wanted = [...new Set(ids)]
  const settled = (group: Group): string[] => {
    const now = new Set(membersOf(group, kind))
    return wanted.filter((id) => now.has(id) === (verb === 'add'))
  }
  let group = await findGroup(client, groupId)
  const unchanged = settled(group)
  const changed = wanted.filter((id) => !unchanged.includes(id))
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (settled(group).length === wanted.length) return { changed, unchanged }
    const before = group
    const list = membersOf(before, kind)
    const next =
      verb === 'add'
        ? [...new Set([...list, ...wanted])]
        : list.filter((id) => !wanted.includes(id))
    await asking(`Error updating group ${before.name}`, () =>
      client.post(`identity/group/id/${before.id}`, { [field[kind]]: next }),
    )
    group = await findGroup(client, groupId)
    refuseLost(before, group, next, kind)
  }
  throw remoteFailure(
    `The members of ${group.name} were rewritten ${ATTEMPTS} times while this command ran; try again`,
  )
}

// One write of ours moves the count by one. More, and the list still ours: what others wrote came before it.
const refuseLost = (
  before: Group,
  after: Group,
  written: readonly string[],
  kind: GroupMembers,
): void => {
  if (kind !== 'entities' || after.modifyIndex <= before.modifyIndex + 1) return
  const now = new Set(membersOf(after, kind))
  const ours = new Set(written)
  const same = now.size === ours.size && [...ours].every((id) => now.has(id))
  if (!same) return
  throw remoteFailure(
    `The members of ${after.name} are as asked, but somebody else changed the group in the same moment, and their change may be lost: check it with signet group members`,
  )
}

/** What is said of members that are added: `ttl`, `expire_time`, `reason`. */
export type Terms = Readonly<Record<string, string>>

/**
 * Adds or removes members where the server changes single ones (docs/api-group-member.md): in one request, by names as they
 * were typed. Undefined where it does not, or where the token may only rewrite the list; with terms, which no list can tell,
 * that is an error.
 */
export const changeSingly = async (
  client: ApiClient,
  group: string,
  kind: GroupMembers,
  verb: 'add' | 'remove',
  words: readonly string[],
  terms: Terms,
): Promise<Secret | undefined> => {
  const path = `identity/group-member/${isId(group) ? 'id' : 'name'}/${group}`
  const one = kind === 'entities' ? 'entity' : 'group'
  const ids = words.filter(isId)
  const names = words.filter((word) => !isId(word))
  const members = {
    ...(ids.length === 0 ? {} : { [`${one}_ids`]: ids }),
    ...(names.length === 0 ? {} : { [`${one}_names`]: names }),
  }
  return await asking(`Error changing the members of ${group}`, async () => {
    try {
      if (verb === 'add') return await client.post(path, { ...members, ...terms })
      return await client.secret({ method: 'DELETE', path, query: members })
    } catch (error) {
      if (!(error instanceof ApiError) || !isElsewhere(error)) throw error
      if (Object.keys(terms).length === 0) return undefined
      if (error.status === 403) throw error
      throw remoteFailure('This server has no memberships with an end or a reason')
    }
  })
}

const isElsewhere = ({ status, errors }: ApiError): boolean =>
  status === 403 ||
  status === 405 ||
  (status === 404 &&
    (errors.length === 0 || errors.some((text) => /unsupported path|no handler/.test(text))))

/** The members of one of the lists of an answer. */
export const membersIn = (data: LiteralObject, list: string): readonly LiteralObject[] => {
  const members = data[list]
  return Array.isArray(members) ? (members as readonly LiteralObject[]) : []
}
