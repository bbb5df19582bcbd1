import type { ApiClient } from '../client/api-client.ts'
import { ApiError } from '../client/api-error.ts'
import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, sortedKeys } from '../client/literal-json.ts'
import { text, texts } from '../client/secret.ts'
import { asking, mountPath, trimPath } from './command.ts'
import { remoteFailure } from './failure.ts'
import { objectOf } from './mount-options.ts'

/** An account of an entity: its name at a mount (`userpass/`); the mount's accessor where the mount is gone. */
export type Account = {
  readonly id: string
  readonly name: string
  readonly accessor: string
  readonly mount: string
}

/** An entity as commands use it. */
export type Entity = {
  readonly id: string
  readonly name: string
  readonly disabled: boolean
  readonly policies: readonly string[]
  readonly metadata: LiteralObject
  readonly accounts: readonly Account[]
  readonly directGroupIds: readonly string[]
  readonly inheritedGroupIds: readonly string[]
  readonly whole: LiteralObject
}

/** A group as commands use it. */
export type Group = {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly policies: readonly string[]
  readonly entityIds: readonly string[]
  readonly groupIds: readonly string[]
  /** Rises with every write of the group. */
  readonly modifyIndex: number
  readonly whole: LiteralObject
}

/** Whether a word is an id rather than a name. */
export const isId = (word: string): boolean => idForm.test(word)

const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)?$/

const entityFrom = (data: LiteralObject): Entity => ({
  id: text(data['id']),
  name: text(data['name']),
  disabled: data['disabled'] === true,
  policies: texts(data['policies']),
  metadata: objectOf(data['metadata']),
  accounts: accountsFrom(data['aliases']),
  directGroupIds: texts(data['direct_group_ids']),
  inheritedGroupIds: texts(data['inherited_group_ids']),
  whole: data,
})

/** The accounts in an `aliases` list of an answer. */
export const accountsFrom = (aliases: LiteralValue | undefined): Account[] => {
  if (!Array.isArray(aliases)) return []
  return (aliases as readonly LiteralValue[]).filter(isObject).map((alias: LiteralObject) => {
    const accessor = text(alias['mount_accessor'])
    const path = text(alias['mount_path']).replace(/^auth\//, '')
    return {
      id: text(alias['id']),
      name: text(alias['name']),
      accessor,
      mount: path === '' ? accessor : path,
    }
  })
}

/** An account as people write it: `alice@userpass`. */
export const accountText = (account: Account): string =>
  `${account.name}@${trimPath(account.mount)}`

const groupFrom = (data: LiteralObject): Group => ({
  id: text(data['id']),
  name: text(data['name']),
  type: text(data['type']),
  policies: texts(data['policies']),
  entityIds: texts(data['member_entity_ids']),
  groupIds: texts(data['member_group_ids']),
  modifyIndex: typeof data['modify_index'] === 'number' ? data['modify_index'] : 0,
  whole: data,
})

const read = async (
  client: ApiClient,
  kind: 'entity' | 'group',
  word: string,
): Promise<LiteralObject | undefined> => {
  const failed = `Error reading ${kind} ${word}`
  if (isId(word)) {
    const byId = await asking(failed, () => client.read(`identity/${kind}/id/${word}`))
    if (byId?.data !== undefined) return byId.data
  }
  return (await asking(failed, () => client.read(`identity/${kind}/name/${word}`)))?.data
}

/** An entity by its name or id; undefined when there is none. */
export const lookForEntity = async (
  client: ApiClient,
  word: string,
): Promise<Entity | undefined> => {
  const data = await read(client, 'entity', word)
  return data === undefined ? undefined : entityFrom(data)
}

/** An entity by its name or id; a failure of exit code 2 when there is none. */
export const findEntity = async (client: ApiClient, word: string): Promise<Entity> => {
  const entity = await lookForEntity(client, word)
  if (entity === undefined) throw remoteFailure(`No entity named ${JSON.stringify(word)}`)
  return entity
}

/** A group by its name or id; undefined when there is none. */
export const lookForGroup = async (client: ApiClient, word: string): Promise<Group | undefined> => {
  const data = await read(client, 'group', word)
  return data === undefined ? undefined : groupFrom(data)
}

/** A group by its name or id; a failure of exit code 2 when there is none. */
export const findGroup = async (client: ApiClient, word: string): Promise<Group> => {
  const group = await lookForGroup(client, word)
  if (group === undefined) throw remoteFailure(`No group named ${JSON.stringify(word)}`)
  return group
}

/** The entity that an account belongs to; undefined when the account has none. */
export const entityOfAccount = async (
  client: ApiClient,
  name: string,
  accessor: string,
): Promise<Entity | undefined> => {
  const secret = await asking(`Error looking up the account ${name}`, () =>
    client.write('identity/lookup/entity', { alias_name: name, alias_mount_accessor: accessor }),
  )
  return secret?.data === undefined ? undefined : entityFrom(secret.data)
}

/** An auth method by its path (`userpass`, `auth/userpass/`) or accessor; a failure when there is none. */
export const findAuthMount = async (
  client: ApiClient,
  word: string,
): Promise<{ readonly path: string; readonly accessor: string }> => {
  const secret = await asking('Error listing enabled authentications', () =>
    client.read('sys/auth'),
  )
  const mounts = secret?.data ?? {}
  const path = mountPath(word.replace(/^\/*auth\//, ''))
  for (const each of sortedKeys(mounts)) {
    const accessor = text(objectOf(mounts[each])['accessor'])
    if (each === path || accessor === word) return { path: each, accessor }
  }
  throw remoteFailure(`No auth method at ${path}; there are ${sortedKeys(mounts).join(', ')}`)
}

const READS_AT_ONCE = 16

/** The names of ids, in their order; an id where the name may not be read or is gone. */
export const namesOf = async (
  client: ApiClient,
  kind: 'entity' | 'group',
  ids: readonly string[],
): Promise<string[]> => {
  const names: string[] = []
  for (let at = 0; at < ids.length; at += READS_AT_ONCE) {
    const some = ids.slice(at, at + READS_AT_ONCE)
    names.push(...(await Promise.all(some.map((id) => nameOf(client, kind, id)))))
  }
  return names
}

const nameOf = async (client: ApiClient, kind: 'entity' | 'group', id: string): Promise<string> => {
  try {
    const secret = await client.read(`identity/${kind}/id/${id}`)
    const name = text(secret?.data?.['name'])
    return name === '' ? id : name
  } catch (error) {
    // Whoever may see the id need not be allowed to see the name.
    if (error instanceof ApiError && error.status === 403) return id
    throw error
  }
}
