import type { ApiClient } from '../../client/api-client.ts'
import type { LiteralObject, LiteralValue } from '../../client/literal-json.ts'
import { sortedKeys } from '../../client/literal-json.ts'
import { text, texts } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, commaWords, say } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { goText } from '../go-text.ts'
import {
  accountText,
  accountsFrom,
  findEntity,
  lookForEntity,
  namesOf,
} from '../identity-lookup.ts'
import { objectOf } from '../mount-options.ts'
import { printRecord } from '../print-record.ts'
import { printNotices, printSecret, printValue } from '../print-secret.ts'
import { table } from '../table.ts'

const policyFlag: Flag = {
  name: 'policy',
  kind: 'list',
  help: 'A policy of the entity; repeatable, or separated by commas.',
}

const metadataFlag: Flag = { name: 'metadata', kind: 'map', help: 'A remark, k=v; repeatable.' }

/** `signet entity create`. */
export const entityCreate: Command = {
  usage: '[flags] NAME',
  help: 'Creates an entity: a person or machine that accounts can be linked to. One of that name is left as it is.',
  flags: [policyFlag, metadataFlag],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const [name = ''] = call.args
    const client = await call.client()
    const existing = await lookForEntity(client, name)
    if (existing !== undefined) {
      throw remoteFailure(
        `There is an entity ${existing.name} already (${existing.id}); signet entity update changes it`,
      )
    }
    const metadata = call.flags.map('metadata')
    const secret = await asking(`Error creating entity ${name}`, () =>
      client.post('identity/entity', {
        name,
        ...(call.flags.given('policy') ? { policies: commaWords(call, 'policy') } : {}),
        ...(metadata === undefined ? {} : { metadata }),
      }),
    )
    const id = text(secret?.data?.['id'])
    if (secret === undefined || id === '') {
      throw remoteFailure(
        `Somebody else created the entity ${name} at the same moment: it has what this command gave it; look at it with signet entity read`,
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

/** `signet entity read`. */
export const entityRead: Command = {
  usage: '[flags] NAME | ID',
  help: 'Shows an entity with its accounts, groups and policies.',
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const entity = await findEntity(client, call.args[0] ?? '')
    if (call.format !== 'table' || (call.flags.text('field') ?? '') !== '') {
      return printRecord(call, [], entity.whole)
    }
    const direct = await groupNames(client, entity.directGroupIds)
    const inherited = await groupNames(client, entity.inheritedGroupIds)
    const rows = [
      ['name', entity.name],
      ['id', entity.id],
      ['state', entity.disabled ? 'disabled' : 'enabled'],
      ...entity.accounts.map((account) => ['account', accountText(account)]),
      ...direct.map((name) => ['group', name]),
      ...inherited.map((name) => ['group', `${name} (through another group)`]),
      ...entity.policies.map((name) => ['policy', name]),
      ...sortedKeys(entity.metadata).map((key) => [
        `metadata ${key}`,
        goText(entity.metadata[key] ?? null),
      ]),
      ...texts(entity.whole['merged_entity_ids']).map((id) => ['merged', id]),
      ['created', text(entity.whole['creation_time'])],
      ['updated', text(entity.whole['last_update_time'])],
    ]
    return printRecord(call, rows, entity.whole)
  },
}

const groupNames = async (client: ApiClient, ids: readonly string[]): Promise<string[]> =>
  await asking('Error reading groups', () => namesOf(client, 'group', ids))

const updateFlags: readonly Flag[] = [
  { name: 'name', kind: 'text', help: 'A new name.' },
  { ...policyFlag, help: 'The policies it has from now on; repeatable, "" for none.' },
  { ...metadataFlag, help: 'A remark to set, k=v; the others stay; repeatable.' },
  { name: 'remove-metadata', kind: 'list', help: 'A remark to remove; repeatable.' },
]

// The API replaces all remarks at once; this command changes those that are named.
const metadataAfter = (call: Call, before: LiteralObject): LiteralObject | undefined => {
  const set = call.flags.map('metadata')
  const removed = call.flags.list('remove-metadata')
  if (set === undefined && removed.length === 0) return undefined
  const kept = Object.entries(before).filter(([key]) => !removed.includes(key))
  return { ...Object.fromEntries(kept), ...set }
}

/** `signet entity update`. */
export const entityUpdate: Command = {
  usage: '[flags] NAME | ID',
  help: 'Changes an entity that exists; what is not named stays. It never creates one.',
  flags: updateFlags,
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const entity = await findEntity(client, call.args[0] ?? '')
    const metadata = metadataAfter(call, entity.metadata)
    const name = call.flags.text('name')
    const changes: Record<string, LiteralValue> = {
      ...(name === undefined ? {} : { name }),
      ...(call.flags.given('policy') ? { policies: commaWords(call, 'policy') } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    }
    if (Object.keys(changes).length === 0) {
      throw localFailure('Nothing to change: give -name, -policy, -metadata or -remove-metadata')
    }
    return await change(call, client, entity.id, entity.name, changes, 'Updated')
  },
}

const change = async (
  call: Call,
  client: ApiClient,
  id: string,
  name: string,
  changes: LiteralObject,
  done: string,
): Promise<number> => {
  const secret = await asking(`Error updating entity ${name}`, () =>
    client.post(`identity/entity/id/${id}`, changes),
  )
  if (secret !== undefined) printNotices(call, secret)
  if (call.format === 'table') say(call.io, `Success! ${done} the entity ${name} (${id})`)
  return 0
}

const switching = (disabled: boolean, help: string): Command => ({
  usage: '[flags] NAME | ID',
  help,
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const { id, name } = await findEntity(client, call.args[0] ?? '')
    return await change(call, client, id, name, { disabled }, disabled ? 'Disabled' : 'Enabled')
  },
})

/** `signet entity disable`. */
export const entityDisable: Command = switching(
  true,
  'Disables an entity: its tokens stop working at once and its logins are refused, until it is enabled again.',
)

/** `signet entity enable`. */
export const entityEnable: Command = switching(false, 'Enables a disabled entity.')

/** `signet entity delete`. */
export const entityDelete: Command = {
  usage: '[flags] NAME | ID',
  help: 'Deletes an entity with its aliases and memberships. The next login of its accounts makes a new one.',
  flags: [],
  args: { min: 1, max: 1 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const { id, name } = await findEntity(client, call.args[0] ?? '')
    await asking(`Error deleting entity ${name}`, () => client.delete(`identity/entity/id/${id}`))
    if (call.format === 'table') say(call.io, `Success! Deleted the entity ${name} (${id})`)
    return 0
  },
}

/** `signet entity list`. */
export const entityList: Command = {
  usage: '[flags]',
  help: 'Lists the entities with their accounts.',
  flags: [],
  args: { min: 0, max: 0 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = await call.client()
    const secret = await asking('Error listing entities', () => client.list('identity/entity/id'))
    if (secret?.wrapInfo !== undefined) return printSecret(call, secret)
    const info = objectOf(secret?.data?.['key_info'])
    const entities = texts(secret?.data?.['keys']).map((id) => {
      const entry = objectOf(info[id])
      return {
        id,
        name: text(entry['name']),
        accounts: accountsFrom(entry['aliases']).map(accountText),
      }
    })
    entities.sort((a, b) => (a.name < b.name ? -1 : 1))
    if (call.format !== 'table') {
      printValue(call, entities)
      return 0
    }
    if (entities.length === 0) {
      say(call.io, 'No entities yet: the first login through an auth method makes one.')
      return 0
    }
    const rows = entities.map(({ name, id, accounts }) => [name, id, accounts.join(', ')])
    say(call.io, table([['Name', 'Id', 'Accounts'], ...rows]))
    return 0
  },
}
