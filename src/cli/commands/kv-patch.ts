import { ApiError } from '../../client/api-error.ts'
import type { LiteralObject, LiteralValue } from '../../client/literal-json.ts'
import { count } from '../../client/secret.ts'
import type { Secret } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking } from '../command.ts'
import { parseData } from '../data-arguments.ts'
import { CommandFailure, localFailure, remoteFailure } from '../failure.ts'
import type { KvPlace } from '../kv-mount.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'
import { objectOf } from '../mount-options.ts'
import { casFlag, showVersion, writeOptions } from './kv-put.ts'

const nothingToPatch = (path: string): Error =>
  remoteFailure(`No value found at ${path}; patch only works on existing data`)

/** A version as it is read to be written again. */
type Version = { readonly data: LiteralObject; readonly number: number }

const readVersion = async (place: KvPlace, version?: string): Promise<Version> => {
  const path = kvPath(place, 'data')
  const query = version === undefined ? {} : { version }
  const secret = await asking(`Error doing pre-read at ${path}`, () =>
    place.client.read(path, query),
  )
  const data = secret?.data?.['data'] ?? null
  if (secret === undefined || data === null) {
    if (version === undefined) throw nothingToPatch(path)
    throw remoteFailure(`No value found at ${path} in version ${version}`)
  }
  return { data: objectOf(data), number: count(objectOf(secret.data?.['metadata'])['version']) }
}

// The version read is the check: what changed in between makes the write fail, never get lost.
const readThenWrite = async (
  call: Call,
  place: KvPlace,
  changes: LiteralObject,
  removed: readonly string[],
): Promise<Secret | undefined> => {
  const path = kvPath(place, 'data')
  const before = await readVersion(place)
  const kept = Object.entries({ ...before.data, ...changes }).filter(
    ([key, value]) => value !== null && !removed.includes(key),
  )
  const options = { cas: before.number, ...writeOptions(call) }
  return await asking(`Error writing data to ${path}`, () =>
    place.client.write(path, { data: Object.fromEntries(kept), options }),
  )
}

const mergePatch = async (
  call: Call,
  place: KvPlace,
  changes: LiteralObject,
  removed: readonly string[],
): Promise<Secret | undefined> => {
  const path = kvPath(place, 'data')
  const nulls: Record<string, LiteralValue> = Object.fromEntries(removed.map((key) => [key, null]))
  const body = { data: { ...changes, ...nulls }, options: writeOptions(call) }
  const failed = `Error writing data to ${path}`
  return await asking(failed, async () => {
    try {
      return await place.client.patch(path, body)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 405 || error.status === 403) {
        throw new PatchRefused(2, `${failed}: ${error.message}`)
      }
      if (error.status === 404) throw nothingToPatch(path)
      throw error
    }
  })
}

const patched = async (
  call: Call,
  place: KvPlace,
  changes: LiteralObject,
): Promise<Secret | undefined> => {
  const removed = call.flags.list('remove-data')
  const method = call.flags.text('method') ?? ''
  switch (method) {
    case 'rw':
      return await readThenWrite(call, place, changes, removed)
    case 'patch':
      return await mergePatch(call, place, changes, removed)
    case '':
      break
    default:
      throw localFailure(`Unsupported method provided to -method flag: ${method}`)
  }
  try {
    return await mergePatch(call, place, changes, removed)
  } catch (error) {
    // Servers and policies without patch: read and write instead.
    if (error instanceof PatchRefused) return await readThenWrite(call, place, changes, removed)
    throw error
  }
}

/** The server knows no PATCH, or the policies grant none. */
class PatchRefused extends CommandFailure {}

const needsVersion2 = (place: KvPlace, what: string): void => {
  if (place.version !== 2)
    throw localFailure(`K/V engine mount must be version 2 for ${what} support`)
}

/** `signet kv patch`. */
export const kvPatch: Command = {
  usage: '[flags] PATH [K=V...]',
  help: 'Changes the given keys of a secret and keeps the others.',
  flags: [
    mountFlag,
    casFlag,
    { name: 'method', kind: 'text', help: 'patch, or rw: read, change and write.' },
    { name: 'remove-data', kind: 'list', help: 'A key to remove; repeatable.' },
  ],
  args: { min: 1 },
  run: async (call) => {
    const [written = '', ...words] = call.args
    const changes = await parseData(words, call.io)
    if (words.length === 0 && call.flags.list('remove-data').length === 0) {
      throw localFailure('Must supply data')
    }
    const place = await kvPlace(call, written, `Error patching ${written}`)
    needsVersion2(place, 'patch')
    return showVersion(call, await patched(call, place, changes), kvPath(place, 'data'))
  },
}

/** `signet kv rollback`. */
export const kvRollback: Command = {
  usage: '[flags] -version=N PATH',
  help: 'Writes an earlier version of a secret again, as its newest.',
  flags: [mountFlag, { name: 'version', kind: 'integer', help: 'The version to write again.' }],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const [written = ''] = call.args
    const version = call.flags.text('version')
    if (version === undefined)
      throw localFailure('Missing -version flag: which version to go back to')
    const place = await kvPlace(call, written, `Error rolling back ${written}`)
    needsVersion2(place, 'rollback')
    const path = kvPath(place, 'data')
    const metadata = await asking(`Error doing pre-read at ${path}`, () =>
      place.client.read(kvPath(place, 'metadata')),
    )
    const cas = count(metadata?.data?.['current_version'])
    const earlier = await readVersion(place, version)
    const secret = await asking(`Error writing data to ${path}`, () =>
      place.client.write(path, { data: earlier.data, options: { cas } }),
    )
    return showVersion(call, secret, path)
  },
}
