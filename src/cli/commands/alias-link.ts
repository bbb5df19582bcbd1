import type { ApiClient } from '../../client/api-client.ts'
import { text } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, trimPath } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import type { Entity } from '../identity-lookup.ts'
import { accountText, entityOfAccount, findAuthMount, findEntity } from '../identity-lookup.ts'
import { printRecord } from '../print-record.ts'

type Account = { readonly name: string; readonly path: string; readonly accessor: string }

// The last @ parts them: names of accounts may hold one.
const accountOf = async (client: ApiClient, written: string): Promise<Account> => {
  const at = written.lastIndexOf('@')
  if (at < 1 || at === written.length - 1) {
    throw localFailure(`${JSON.stringify(written)} is no account: write it as USER@MOUNT`)
  }
  const { path, accessor } = await findAuthMount(client, written.slice(at + 1))
  return { name: written.slice(0, at), path, accessor }
}

const refuseSecond = (entity: Entity, account: Account): void => {
  const other = entity.accounts.find((each) => each.accessor === account.accessor)
  if (other === undefined) return
  throw remoteFailure(
    `${entity.name} has the account ${accountText(other)} already, and an entity has one account at each mount`,
  )
}

// Its own accounts and policies make an entity somebody: that is not swallowed unasked.
const refuseUnasked = (call: Call, owner: Entity, entity: Entity, account: Account): void => {
  const others = owner.accounts.filter((each) => each.accessor !== account.accessor)
  if (call.flags.boolean('merge') || (others.length === 0 && owner.policies.length === 0)) return
  const losses = [
    ...(others.length === 0 ? [] : [`its accounts ${others.map(accountText).join(', ')} go along`]),
    ...(owner.policies.length === 0 ? [] : [`its policies ${owner.policies.join(', ')} are lost`]),
  ]
  throw remoteFailure(
    `The account belongs to the entity ${owner.name} (${owner.id}). Linking it merges ${owner.name} into ${entity.name}: ` +
      `${losses.join(' and ')}. Say -merge to do so.`,
  )
}

const run = async (call: Call): Promise<number> => {
  const [word = '', written = ''] = call.args
  const client = await call.client()
  const entity = await findEntity(client, word)
  const account = await accountOf(client, written)
  const owner = await entityOfAccount(client, account.name, account.accessor)
  if (owner?.id === entity.id) return report(call, entity, account, 'linked already')
  refuseSecond(entity, account)
  if (owner !== undefined) {
    refuseUnasked(call, owner, entity, account)
    await asking(`Error merging ${owner.name} into ${entity.name}`, () =>
      client.post('identity/entity/merge', {
        from_entity_ids: [owner.id],
        to_entity_id: entity.id,
      }),
    )
    return report(
      call,
      entity,
      account,
      `merged: the entity ${owner.name} (${owner.id}) is gone, and what it had is with ${entity.name}`,
    )
  }
  const made = await asking(`Error linking ${written}`, () =>
    client.post('identity/entity-alias', {
      name: account.name,
      mount_accessor: account.accessor,
      canonical_id: entity.id,
    }),
  )
  return report(call, entity, account, 'linked', text(made?.data?.['id']))
}

const report = (
  call: Call,
  entity: Entity,
  account: Account,
  outcome: string,
  aliasId = '',
): number =>
  printRecord(
    call,
    [
      ['entity', `${entity.name} (${entity.id})`],
      ['account', `${account.name}@${trimPath(account.path)}`],
      ['outcome', outcome],
    ],
    {
      entity_id: entity.id,
      entity_name: entity.name,
      alias_name: account.name,
      mount_path: account.path,
      mount_accessor: account.accessor,
      ...(aliasId === '' ? {} : { alias_id: aliasId }),
      outcome,
    },
  )

/** `signet alias link`. */
export const aliasLink: Command = {
  usage: '[flags] ENTITY USER@MOUNT',
  help:
    'Links an account to an entity. An entity that a login made for that account meanwhile is merged into it, and the command says so; ' +
    'one with other accounts or policies of its own is merged only with -merge.',
  flags: [
    { name: 'merge', kind: 'boolean', help: 'Merge the entity that the account belongs to now.' },
  ],
  args: { min: 2, max: 2 },
  flagsAnywhere: true,
  run,
}
