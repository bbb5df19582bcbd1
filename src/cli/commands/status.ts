import type { LiteralObject, LiteralValue } from '../../client/literal-json.ts'
import { secretFrom, text } from '../../client/secret.ts'
import type { ApiClient } from '../../client/api-client.ts'
import { ApiError } from '../../client/api-error.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { goText } from '../go-text.ts'
import { fieldOf, Members, printField, printValue } from '../print-secret.ts'
import { table } from '../table.ts'

/** Prints a seal status, with what is known of the leader; the exit code: 0 unsealed, 2 sealed. */
export const showSealStatus = (
  call: Call,
  seal: LiteralObject,
  leader: LiteralObject | undefined,
): number => {
  const code = seal['sealed'] === true ? 2 : 0
  const field = call.flags.text('field') ?? ''
  if (field !== '') {
    printField(call, fieldOf(secretFrom({ data: { ...seal, ...leader } }), field), field)
  } else if (call.format === 'table') say(call.io, table([['Key', 'Value'], ...rows(seal, leader)]))
  else printValue(call, new Members(Object.entries({ ...seal, ...leader })))
  return code
}

const rows = (seal: LiteralObject, leader: LiteralObject | undefined): string[][] => {
  const show = (value: LiteralValue | undefined): string => goText(value ?? '')
  const recovery = seal['recovery_seal'] === true
  const sealed = seal['sealed'] === true
  const optional = (label: string, value: LiteralValue | undefined): string[][] =>
    text(value) === '' ? [] : [[label, text(value)]]
  const high = leader?.['ha_enabled'] === true
  return [
    ['Seal Type', show(seal['type'])],
    ...optional('Recovery Seal Type', seal['recovery_seal_type']),
    ['Initialized', show(seal['initialized'])],
    ['Sealed', show(sealed)],
    [recovery ? 'Total Recovery Shares' : 'Total Shares', show(seal['n'])],
    ['Threshold', show(seal['t'])],
    ...(sealed
      ? [
          ['Unseal Progress', `${show(seal['progress'])}/${show(seal['t'])}`],
          ['Unseal Nonce', show(seal['nonce'])],
        ]
      : []),
    ...(seal['migration'] === true ? [['Seal Migration in Progress', 'true']] : []),
    ['Version', show(seal['version'])],
    ...(text(seal['commit_date']) === ''
      ? optional('Build Date', seal['build_date'])
      : [['Commit Date', text(seal['commit_date'])]]),
    ['Storage Type', show(seal['storage_type'])],
    ...optional('Cluster Name', seal['cluster_name']),
    ...optional('Cluster ID', seal['cluster_id']),
    ...(leader === undefined ? [] : [['HA Enabled', show(high)]]),
    ...(high && leader !== undefined ? highAvailability(leader) : []),
  ]
}

const highAvailability = (leader: LiteralObject): string[][] => {
  const self = leader['is_self'] === true
  const cluster = text(leader['leader_cluster_address'])
  return [
    ['HA Cluster', cluster],
    ['HA Mode', self ? 'active' : 'standby'],
    ...(self
      ? [['Active Since', text(leader['active_time'])]]
      : [['Active Node Address', text(leader['leader_address'])]]),
  ]
}

/** What `sys/leader` says; undefined where it says nothing (a sealed server). */
export const readLeader = async (client: ApiClient): Promise<LiteralObject | undefined> => {
  try {
    return (await client.read('sys/leader'))?.data
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

/** `signet status`. */
export const status: Command = {
  usage: '[flags]',
  help: 'Shows whether the server is initialised and unsealed. The exit code is 0 when it is unsealed, 2 when it is sealed, 1 when it cannot be asked.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    try {
      // Of the whole server, whatever namespace is set.
      const client = (await call.client()).without('namespace')
      const seal = await asking('Error checking seal status', () => client.read('sys/seal-status'))
      const leader = await asking('Error checking leader status', () => readLeader(client))
      return showSealStatus(call, seal?.data ?? {}, leader)
    } catch (error) {
      if (error instanceof CommandFailure) throw new CommandFailure(1, error.message)
      throw error
    }
  },
}
