import type { ApiClient } from '../../client/api-client.ts'
import type { LiteralObject } from '../../client/literal-json.ts'
import type { Secret } from '../../client/secret.ts'
import { text } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, commaWords, say } from '../command.ts'
import { remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import type { GroupMembers, Terms } from '../group-members.ts'
import { changeMembers, changeSingly, membersIn } from '../group-members.ts'
import { findEntity, findGroup, lookForGroup, namesOf } from '../identity-lookup.ts'
import { printRecord } from '../print-record.ts'
import { printNotices, printValue } from '../print-secret.ts'
import { table } from '../table.ts'

const createFlags: readonly Flag[] = [
  { name: 'type', kind: 'text', help: 'internal (the default) or external: filled by logins.' },
  { name: 'policy', kind: 'list', help: 'A policy of its members; repeatable.' },
  { name: 'metadata', kind: 'map', help: 'A remark, k=v; repeatable.' },
  { name: 'member', kind: 'list', help: 'An entity in it, by name or id; repeatable.' },
  { name: 'member-group', kind: 'list', help: 'A group in it, by name or id; repeatable.' },
]

const entityIds = async (client: ApiClient, names: readonly string[]): Promise<string[]> =>
  await Promise.all(names.map(async (name) => (await findEntity(client, name)).id))

const groupIds = async (client: ApiClient, names: readonly string[]): Promise<string[]> =>
  await Promise.all(names.map(async (name) => (await findGroup(client, name)).id))

/** `signet group create`. */
export const groupCreate: Command = {
  usage: '[flags] NAME',
  help: 'Creates a group. One of that name is left as it is.',
  flags: createFlags,
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const [name = ''] = call.args
    const client = await call.client()
    const existing = await lookForGroup(client, name)
    if (existing !== undefined) {
      throw remoteFailure(`There is a group ${existing.name} already (${existing.id})`)
    }
    const members = await entityIds(client, commaWords(call, 'member'))
    const children = await groupIds(client, commaWords(call, 'member-group'))
    const metadata = call.flags.map('metadata')
    const secret = await asking(`Error creating group ${name}`, () =>
      client.post('identity/group', {
        name,
        type: call.flags.text('type') ?? 'internal',
        ...(call.flags.given('policy') ? { policies: commaWords(call, 'policy') } : {}),
        ...(metadata === undefined ? {} : { metadata }),
        ...(members.length === 0 ? {} : { member_entity_ids: members }),
        ...(children.length === 0 ? {} : { member_group_ids: children }),
      }),
    )
    const id = text(secret?.data?.['id'])
    if (secret === undefined || id === '') {
      throw remoteFailure(
        `Somebody else created the group ${name} at the same moment: it has what this command gave it; look at it with signet group members`,
      )
    }
    printNotices(call, secret)
    return printRecord(
      call,
      [
        ['id', id],
        ['name', name],
      ],
      { id, name },
    )
  },
}

const groupsFlag: Flag = {
  name: 'groups',
  kind: 'boolean',
  help: 'The members are groups, not entities.',
}

const termFlags: readonly Flag[] = [
  {
    name: 'ttl',
    kind: 'duration',
    help: 'How long they are in the group, 1s to 8760h; for ever without it.',
  },
  {
    name: 'expire-time',
    kind: 'text',
    help: 'Until when instead, as 2030-01-31T17:00:00Z; never: for ever.',
  },
  { name: 'reason', kind: 'text', help: 'Why they are added.' },
]

const termsOf = (call: Call): Terms => {
  const terms: Record<string, string> = {}
  for (const { name } of termFlags) {
    const value = call.flags.text(name)
    if (value !== undefined) terms[name.replace('-', '_')] = value
  }
  return terms
}

const untilOf = (member: LiteralObject): string => {
  const until = text(member['expire_time'])
  return until === '' ? '' : ` (until ${until})`
}

const printChange = (call: Call, secret: Secret): number => {
  printNotices(call, secret)
  const data = secret.data ?? {}
  if (call.format !== 'table') {
    printValue(call, data)
    return 0
  }
  const group = text(data['group_name'])
  const heads = [
    ['added', `Success! Added to ${group}`],
    ['updated', `Success! Changed in ${group}`],
    ['unchanged', `In ${group} already`],
    ['removed', `Success! Removed from ${group}`],
    ['absent', `Not in ${group}`],
  ] as const
  for (const [list, head] of heads) {
    const members = membersIn(data, list)
    if (members.length === 0) continue
    const shown = members.map((one) => `${text(one['name']) || text(one['id'])}${untilOf(one)}`)
    say(call.io, `${head}: ${shown.join(', ')}`)
  }
  return 0
}

const changing = (verb: 'add' | 'remove', help: string): Command => ({
  usage: '[flags] GROUP MEMBER...',
  help,
  flags: verb === 'add' ? [groupsFlag, ...termFlags] : [groupsFlag],
  args: { min: 2 },
  flagsAnywhere: true,
  run: async (call) => {
    const [word = '', ...names] = call.args
    const client = await call.client()
    const kind: GroupMembers = call.flags.boolean('groups') ? 'groups' : 'entities'
    const terms = verb === 'add' ? termsOf(call) : {}
    const single = await changeSingly(client, word, kind, verb, names, terms)
    if (single !== undefined) return printChange(call, single)
    const ids = await (kind === 'groups' ? groupIds : entityIds)(client, names)
    const group = await findGroup(client, word)
    if (group.type === 'external') {
      throw remoteFailure(
        `${group.name} is an external group: its members come from logins, through its alias`,
      )
    }
    const outcome = await changeMembers(client, group.id, kind, verb, ids)
    if (call.format !== 'table') {
      printValue(call, { group_id: group.id, ...outcome })
      return 0
    }
    const named = (changed: readonly string[]): string =>
      changed.map((id) => names[ids.indexOf(id)] ?? id).join(', ')
    const done = verb === 'add' ? `Added to ${group.name}` : `Removed from ${group.name}`
    const idle = verb === 'add' ? `In ${group.name} already` : `Not in ${group.name}`
    if (outcome.changed.length > 0) say(call.io, `Success! ${done}: ${named(outcome.changed)}`)
    if (outcome.unchanged.length > 0) say(call.io, `${idle}: ${named(outcome.unchanged)}`)
    return 0
  },
})

/** `signet group add`. */
export const groupAdd: Command = changing(
  'add',
  'Adds members to a group, by name or id, for a time or for ever; those who are in it stay.',
)

/** `signet group remove`. */
export const groupRemove: Command = changing(
  'remove',
  'Removes members from a group, by name or id; the others stay.',
)

/** `signet group members`. */
export const groupMembers: Command = {
  usage: '[flags] GROUP',
  help: 'Lists the members of a group.',
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const group = await findGroup(client, call.args[0] ?? '')
    const entities = [...new Set(group.entityIds)]
    const names = await asking('Error reading members', async () => ({
      entities: await namesOf(client, 'entity', entities),
      groups: await namesOf(client, 'group', group.groupIds),
    }))
    const members = [
      ...entities.map((id, at) => ({ type: 'entity', name: names.entities[at] ?? id, id })),
      ...group.groupIds.map((id, at) => ({ type: 'group', name: names.groups[at] ?? id, id })),
    ]
    if (call.format !== 'table') {
      printValue(call, members)
      return 0
    }
    if (members.length === 0) {
      say(call.io, `${group.name} has no members.`)
      return 0
    }
    say(
      call.io,
      table([['Name', 'Type', 'Id'], ...members.map((each) => [each.name, each.type, each.id])]),
    )
    return 0
  },
}
