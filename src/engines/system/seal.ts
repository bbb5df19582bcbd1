import type { SealPort, ServerFacts } from '../../engine/ports/seal.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import type { RawResult } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { goLower } from '../../std/go-lower.ts'
import type { Json } from '../../std/json.ts'
import { bare } from './bare.ts'
import type { SystemOptions } from './options.ts'
import { checkKeyLength, decodeUnsealKey } from './unseal-key.ts'

const tellStatus = async (seal: SealPort, facts: ServerFacts): Promise<RawResult> => {
  const status = await seal.status()
  return bare([
    ['type', 'shamir'],
    ['initialized', status.initialized],
    ['sealed', status.sealed],
    ['t', status.threshold],
    ['n', status.shares],
    ['progress', status.progress],
    ['nonce', status.nonce],
    ['recovery_seal', false],
    ['version', facts.reportedVersion],
    ['build_date', facts.buildDate],
    // Releases of the reference carry the date of their commit; its development builds and Signet carry none.
    ['commit_date', ''],
    ['migration', false],
    ['cluster_name', status.clusterName],
    ['cluster_id', status.clusterId],
    ['storage_type', facts.storageType],
  ])
}

/** The body's members by their names in lower case, as the reference reads this body. */
const membersOf = (body: Readonly<Record<string, Json>>): ReadonlyMap<string, Json> =>
  new Map(Object.entries(body).map(([name, value]) => [goLower(name), value]))

/** A member that must be of this type if it is there at all. */
const member = <T extends 'string' | 'boolean'>(
  body: ReadonlyMap<string, Json>,
  name: string,
  type: T,
  missing: T extends 'string' ? string : boolean,
): T extends 'string' ? string : boolean => {
  const value = body.get(name)
  if (value === undefined || value === null) return missing
  if (typeof value !== type) {
    throw invalid(`failed to parse JSON input: '${name}' must be a ${type}`)
  }
  return value as T extends 'string' ? string : boolean
}

const takeKey = async (seal: SealPort, text: string, migrate: boolean): Promise<void> => {
  const key = decodeUnsealKey(text)
  if (migrate) throw failed(`can't perform a seal migration, no migration seal found`)
  const status = await seal.status()
  if (!status.initialized) throw invalid('Vault is not initialized')
  if (!status.sealed) return
  checkKeyLength(key)
  const outcome = await seal.giveShare(key)
  key.fill(0)
  switch (outcome) {
    case 'progress':
    case 'unsealed':
      return
    case 'uninitialised':
      throw invalid('Vault is not initialized')
    case 'bad-share':
      throw invalid('unseal failed, invalid key')
    case 'failed':
      throw invalid(
        'unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed',
      )
  }
}

/** `sys/seal-status`, `sys/unseal` and `sys/seal`. */
export const sealRoutes = ({ seal, facts }: SystemOptions) => [
  route({
    path: 'seal-status',
    summary: 'Tell the state of the seal',
    fields: {},
    whileSealed: true,
    unaudited: true,
    verbs: { read: () => tellStatus(seal, facts) },
  }),
  route({
    path: 'unseal',
    summary: 'Give one unseal key',
    description: 'Body: `key` (hex or base64), `reset`, `migrate`; names in any case.',
    fields: {},
    free: true,
    whileSealed: true,
    unaudited: true,
    verbs: {
      update: async (call) => {
        const body = membersOf(call.free)
        const key = member(body, 'key', 'string', '')
        const reset = member(body, 'reset', 'boolean', false)
        const migrate = member(body, 'migrate', 'boolean', false)
        if (key === '' && !reset) {
          throw invalid(`'key' must be specified in request body as JSON, or 'reset' set to true`)
        }
        if (reset) {
          if (!(await seal.status()).sealed) throw invalid('vault is unsealed')
          await seal.resetShares()
        } else {
          await takeKey(seal, key, migrate)
        }
        return tellStatus(seal, facts)
      },
    },
  }),
  route({
    path: 'seal',
    summary: 'Seal the server; needs sudo',
    description: 'Answers also while sealed, without looking at the token then.',
    fields: {},
    sudo: true,
    whileSealed: true,
    unaudited: 'response',
    verbs: {
      update: async () => {
        await seal.seal()
        return undefined
      },
    },
  }),
]
