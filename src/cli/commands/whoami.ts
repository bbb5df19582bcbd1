import type { ApiClient } from '../../client/api-client.ts'
import { ApiError } from '../../client/api-error.ts'
import type { LiteralObject } from '../../client/literal-json.ts'
import { count, text, texts } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking } from '../command.ts'
import { durationText } from '../go-text.ts'
import type { Entity } from '../identity-lookup.ts'
import { accountText, lookForEntity, namesOf } from '../identity-lookup.ts'
import { CommandFailure, remoteFailure } from '../failure.ts'
import { printRecord } from '../print-record.ts'

// Policies decide whether one may read one's own entity; the token says who it is either way.
const ownEntity = async (client: ApiClient, id: string): Promise<Entity | undefined> => {
  if (id === '') return undefined
  try {
    return await lookForEntity(client, id)
  } catch (error) {
    if (error instanceof CommandFailure && error.cause instanceof ApiError) {
      if (error.cause.status === 403) return undefined
    }
    throw error
  }
}

const lifetime = (token: LiteralObject): string => {
  const left = count(token['ttl'])
  if (left === 0) return 'without end'
  return `${durationText(left)} left${token['renewable'] === true ? ', renewable' : ''}`
}

/** `signet whoami`. */
export const whoami: Command = {
  usage: '[flags]',
  help: 'Shows who the token in use belongs to: the entity, its accounts and groups, and the policies that count.',
  flags: [],
  args: { min: 0, max: 0 },
  flagsAnywhere: true,
  run: async (call) => {
    const client = (await call.client()).without('wrapTtl')
    const lookup = await asking('Error looking up token', () =>
      client.read('auth/token/lookup-self'),
    )
    const token = lookup?.data
    if (token === undefined) throw remoteFailure('Token not found')
    const entityId = text(token['entity_id'])
    const entity = await ownEntity(client, entityId)
    const [direct, inherited] = await asking('Error reading groups', async () => [
      await namesOf(client, 'group', entity?.directGroupIds ?? []),
      await namesOf(client, 'group', entity?.inheritedGroupIds ?? []),
    ])
    const tokenPolicies = texts(token['policies'])
    const identityPolicies = texts(token['identity_policies'])
    const accounts = (entity?.accounts ?? []).map(accountText)
    const nobody = entityId === '' ? 'nobody: the token belongs to no entity' : `entity ${entityId}`
    const rows = [
      ['identity', entity === undefined ? nobody : `${entity.name} (${entity.id})`],
      ...accounts.map((account) => ['account', account]),
      ...direct.map((name) => ['group', name]),
      ...inherited.map((name) => ['group', `${name} (through another group)`]),
      ['policies of the token', tokenPolicies.join(', ')],
      ...(entityId === '' ? [] : [['policies of the identity', identityPolicies.join(', ')]]),
      ['token', `${text(token['display_name'])}, ${lifetime(token)}`],
    ]
    return printRecord(call, rows, {
      entity_id: entityId,
      entity_name: entity?.name ?? '',
      accounts,
      groups: direct,
      inherited_groups: inherited,
      token_policies: tokenPolicies,
      identity_policies: identityPolicies,
      display_name: text(token['display_name']),
      accessor: text(token['accessor']),
      ttl: count(token['ttl']),
      renewable: token['renewable'] === true,
    })
  },
}
