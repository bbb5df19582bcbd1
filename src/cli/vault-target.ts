import type { ApiClient } from '../client/api-client.ts'
import { ApiError } from '../client/api-error.ts'
import type { LiteralObject } from '../client/literal-json.ts'
import { text, texts } from '../client/secret.ts'
import { asking } from './command.ts'
import type { SourceMount, Taken } from './vault-source.ts'
import { objectOf } from './vault-source.ts'

/** What was made, or would be, before the lines of another server can be taken in. */
export interface Prepared {
  /** Paths that are mounted here now, or would be. */
  readonly mounts: readonly string[]
  readonly notes: readonly string[]
}

interface Options {
  readonly dryRun: boolean
  readonly conflict: string
}

/** Mounts what the other server had mounted and writes its policies, where nothing here is in the way. */
export const prepareTarget = async (
  client: ApiClient,
  taken: Taken,
  options: Options,
): Promise<Prepared> => {
  const notes: string[] = []
  const mounts: string[] = []
  const auth = await asking('Error reading mounts', () => client.read('sys/auth'))
  const secrets = await asking('Error reading mounts', () => client.read('sys/mounts'))
  const present = { ...prefixed(auth?.data ?? {}, 'auth/'), ...secrets?.data }
  for (const mount of taken.mounts) {
    const here = objectOf(present[mount.path])
    if (here !== undefined) {
      if (text(here['type']) !== mount.type) {
        notes.push(
          `Not taken: ${mount.path} is of type ${text(here['type'])} here, not ${mount.type}`,
        )
      }
      continue
    }
    const fault = options.dryRun ? undefined : await enable(client, mount)
    if (fault === undefined) {
      mounts.push(mount.path)
      const done = options.dryRun ? 'Would enable' : 'Enabled'
      notes.push(`${done} ${mount.type} at ${mount.path}${needsSettings(mount)}`)
    } else notes.push(`Not taken: ${mount.path} (${mount.type}) cannot be enabled here: ${fault}`)
  }
  for (const policy of taken.policies) {
    const note = await writePolicy(client, policy, options)
    if (note !== undefined) notes.push(note)
  }
  return { mounts, notes }
}

const needsSettings = ({ path, type }: SourceMount): string =>
  path.startsWith('auth/') && type !== 'userpass' && type !== 'approle'
    ? '; its configuration was not read: set it up'
    : ''

const prefixed = (data: LiteralObject, prefix: string): LiteralObject =>
  Object.fromEntries(Object.entries(data).map(([path, mount]) => [`${prefix}${path}`, mount]))

/** What a mount is tuned to that a request to enable it takes. */
const TUNED = ['default_lease_ttl', 'max_lease_ttl', 'listing_visibility', 'token_type']

/** Why it could not be enabled; undefined: it is. */
const enable = async (client: ApiClient, mount: SourceMount): Promise<string | undefined> => {
  const { path, type, description, options } = mount
  const api = path.startsWith('auth/') ? `sys/${path}` : `sys/mounts/${path}`
  const config = Object.fromEntries(
    TUNED.flatMap((name) => {
      const value = mount.config[name]
      return value === undefined || value === '' ? [] : [[name, value]]
    }),
  )
  try {
    await client.post(api.replace(/\/$/, ''), {
      type,
      description,
      config,
      ...(options === null ? {} : { options }),
    })
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.errors.join('; ').trim() || `status ${error.status}`
  }
}

const writePolicy = async (
  client: ApiClient,
  { name, policy }: Taken['policies'][number],
  { dryRun, conflict }: Options,
): Promise<string | undefined> => {
  const path = `sys/policies/acl/${name}`
  const here = await asking(`Error reading policy ${name}`, () => client.read(path))
  const before = text(here?.data?.['policy'])
  if (before === policy) return undefined
  if (before !== '' && (conflict !== 'merge' || name === 'default')) {
    return `Not taken: the policy ${name} is here and differs`
  }
  if (dryRun) return `Would write the policy ${name}`
  try {
    const answer = await client.write(path, { policy })
    return [`Wrote the policy ${name}`, ...texts(answer?.warnings)].join('; ')
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return `Not taken: the policy ${name}: ${error.errors.join('; ').trim()}`
  }
}
