import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DevConfig } from '../config/server-config.ts'
import type { Lifecycle } from '../core/lifecycle.ts'
import type { NewMount } from '../engine/ports/mounts.ts'

/** What development mode gives out. */
export interface DevelopmentKeys {
  readonly rootToken: string
  /** Base64. */
  readonly unsealKey: string
}

const SECRETS: NewMount = {
  class: 'secret',
  type: 'kv',
  path: 'secret/',
  description: 'key/value secret storage',
  local: false,
  sealWrap: false,
  externalEntropyAccess: false,
  options: { version: '2' },
  pluginVersion: '',
  tuning: {
    defaultLeaseTtlSeconds: 0,
    maxLeaseTtlSeconds: 0,
    forceNoCache: false,
    listingVisibility: '',
    tokenType: '',
  },
}

/**
 * Initialises and unseals a development server; one with a data folder keeps its key and token there between starts. Throws
 * an Error that says what to do when key and data do not belong together.
 */
export const startDevelopment = async (
  { dataFolder, rootTokenId }: DevConfig,
  lifecycle: Lifecycle,
): Promise<DevelopmentKeys> => {
  const file = dataFolder === undefined ? undefined : join(dataFolder, 'keys.json')
  const made = await lifecycle.initialise({
    shares: 1,
    threshold: 1,
    ...(rootTokenId === undefined ? {} : { rootToken: rootTokenId }),
    mounts: [SECRETS],
  })
  const keys =
    made === 'already'
      ? readKeys(file)
      : { unsealKey: made.unsealKeys[0]!.toString('base64'), rootToken: made.rootToken }
  if (made !== 'already' && file !== undefined) writeKeys(file, keys)
  const outcome = await lifecycle.giveShare(Buffer.from(keys.unsealKey, 'base64'))
  if (outcome !== 'unsealed') {
    throw new Error(`the key in ${file} does not open the data beside it; start over with --reset`)
  }
  return keys
}

const readKeys = (file: string | undefined): DevelopmentKeys => {
  if (file === undefined) throw new Error('development mode never opens existing data')
  const kept = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly unseal_key: string
    readonly root_token: string
  }
  return { unsealKey: kept.unseal_key, rootToken: kept.root_token }
}

const writeKeys = (file: string, keys: DevelopmentKeys): void => {
  const text = JSON.stringify({ unseal_key: keys.unsealKey, root_token: keys.rootToken })
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
