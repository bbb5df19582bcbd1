import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { route } from '../../engine/route.ts'
import { bare } from './bare.ts'
import type { SystemOptions } from './options.ts'

/** Why a seal cannot have these numbers; undefined when it can. */
export const sealConfigProblem = (shares: number, threshold: number): string | undefined => {
  if (shares < 1) return 'shares must be at least one'
  if (threshold < 1) return 'threshold must be at least one'
  if (shares > 1 && threshold === 1) return 'threshold must be greater than one for multiple shares'
  if (shares > 255) return 'shares must be less than 256'
  if (threshold > 255) return 'threshold must be less than 256'
  if (threshold > shares) return 'threshold cannot be larger than shares'
  return undefined
}

const RECOVERY = ['recovery_shares', 'recovery_threshold', 'recovery_pgp_keys'] as const

const fields = {
  secret_shares: field.int({ default: 0, description: 'Unseal keys to split the seal into' }),
  secret_threshold: field.int({ default: 0, description: 'Unseal keys needed to unseal' }),
  pgp_keys: field.list({ default: [], description: 'Not supported yet' }),
  root_token_pgp_key: field.string({ default: '', description: 'Not supported yet' }),
  recovery_shares: field.int({ default: 0, description: 'Only for seals that unseal themselves' }),
  recovery_threshold: field.int({
    default: 0,
    description: 'Only for seals that unseal themselves',
  }),
  recovery_pgp_keys: field.list({
    default: [],
    description: 'Only for seals that unseal themselves',
  }),
  stored_shares: field.any({ description: 'Not used' }),
}

const checkRecovery = (
  call: Pick<Call<Record<(typeof RECOVERY)[number], unknown>>, 'input'>,
): void => {
  const given = RECOVERY.filter((name) => {
    const value = call.input[name]
    return Array.isArray(value) ? value.length > 0 : value !== 0
  })
  if (given.length > 0) {
    throw invalid(`parameters ${given.join(',')} not applicable to seal type shamir`)
  }
}

/** `sys/init`: makes the keys of a new server, once. */
export const initRoute = ({ seal }: SystemOptions) =>
  route({
    path: 'init',
    summary: 'Initialise the server, or tell whether it is',
    fields,
    whileSealed: true,
    unaudited: true,
    verbs: {
      read: async () => bare([['initialized', (await seal.status()).initialized]]),
      update: async (call) => {
        const { secret_shares: shares, secret_threshold: threshold } = call.input
        checkRecovery(call)
        const problem = sealConfigProblem(shares, threshold)
        if (problem !== undefined) throw invalid(`invalid seal configuration: ${problem}`)
        if (call.input.pgp_keys.length > 0 || call.input.root_token_pgp_key !== '') {
          throw invalid('PGP keys are not supported yet: leave out pgp_keys and root_token_pgp_key')
        }
        const made = await seal.initialise({ shares, threshold })
        if (made === 'already') throw invalid('Vault is already initialized')
        const keys = made.unsealKeys
        return bare([
          ['keys', keys.map((key) => key.toString('hex'))],
          ['keys_base64', keys.map((key) => key.toString('base64'))],
          ['root_token', made.rootToken],
        ])
      },
    },
  })
