import type { LiteralObject, LiteralValue } from '../../client/literal-json.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import type { KvPlace } from '../kv-mount.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'
import { sayObject, sayPath } from '../kv-table.ts'
import { objectOf } from '../mount-options.ts'
import { printNotices, printSecret } from '../print-secret.ts'
import { showWritten } from './write.ts'

const settingFlags: readonly Flag[] = [
  mountFlag,
  { name: 'max-versions', kind: 'integer', help: 'How many versions are kept.' },
  { name: 'cas-required', kind: 'boolean', help: 'Writes need -cas.' },
  { name: 'delete-version-after', kind: 'duration', help: 'Versions are deleted after this long.' },
  { name: 'custom-metadata', kind: 'map', help: 'A remark about the secret; repeatable.' },
]

const settings = (call: Call): Record<string, LiteralValue> => {
  const { flags } = call
  const most = flags.integer('max-versions')
  const cas = flags.optionalBoolean('cas-required')
  const after = flags.text('delete-version-after')
  const custom = flags.map('custom-metadata')
  return {
    ...(most === undefined ? {} : { max_versions: most }),
    ...(cas === undefined ? {} : { cas_required: cas }),
    ...(after === undefined ? {} : { delete_version_after: after }),
    ...(custom === undefined ? {} : { custom_metadata: custom }),
  }
}

const place2 = async (call: Call, failed: string): Promise<KvPlace> => {
  const [written = ''] = call.args
  const place = await kvPlace(call, written, `${failed} ${written}`)
  if (place.version !== 2) throw localFailure('Metadata not supported on KV Version 1')
  return place
}

const showMetadata = (call: Call, path: string, data: LiteralObject): void => {
  const { versions, ...settingsOf } = data
  sayPath(call, 'Metadata Path', path)
  sayObject(call, 'Metadata', settingsOf)
  const all = objectOf(versions)
  for (const number of Object.keys(all).sort((a, b) => Number(a) - Number(b))) {
    say(call.io, '')
    sayObject(call, `Version ${number}`, objectOf(all[number]))
  }
}

/** `signet kv metadata get`. */
export const kvMetadataGet: Command = {
  usage: '[flags] PATH',
  help: 'Shows the settings and versions of a secret, not its values.',
  flags: [mountFlag],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const place = await place2(call, 'Error reading')
    const path = kvPath(place, 'metadata')
    const secret = await asking(`Error reading ${path}`, () => place.client.read(path))
    if (secret === undefined) throw remoteFailure(`No value found at ${path}`)
    const field = call.flags.text('field') ?? ''
    if (call.format !== 'table' || field !== '' || secret.data === undefined) {
      return printSecret(call, secret)
    }
    printNotices(call, secret)
    showMetadata(call, path, secret.data)
    return 0
  },
}

/** `signet kv metadata put`. */
export const kvMetadataPut: Command = {
  usage: '[flags] PATH',
  help: 'Sets the settings of a secret; makes it without a version where there is none.',
  flags: settingFlags,
  args: { min: 1, max: 1 },
  run: async (call) => {
    const place = await place2(call, 'Error writing data to')
    const path = kvPath(place, 'metadata')
    const secret = await asking(`Error writing data to ${path}`, () =>
      place.client.write(path, settings(call)),
    )
    return showWritten(call, secret, `Success! Data written to: ${path}`)
  },
}

/** `signet kv metadata patch`. */
export const kvMetadataPatch: Command = {
  usage: '[flags] PATH',
  help: 'Changes the given settings of a secret and keeps the others.',
  flags: [
    ...settingFlags,
    { name: 'remove-custom-metadata', kind: 'list', help: 'A remark to remove; repeatable.' },
  ],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const removed = call.flags.list('remove-custom-metadata')
    const changes = settings(call)
    const custom: LiteralObject = {
      ...objectOf(changes['custom_metadata']),
      ...Object.fromEntries(removed.map((key) => [key, null])),
    }
    const place = await place2(call, 'Error patching')
    const path = kvPath(place, 'metadata')
    const secret = await asking(`Error patching ${path}`, () =>
      place.client.patch(path, {
        ...changes,
        ...(Object.keys(custom).length === 0 ? {} : { custom_metadata: custom }),
      }),
    )
    return showWritten(call, secret, `Success! Data written to: ${path}`)
  },
}

/** `signet kv metadata delete`. */
export const kvMetadataDelete: Command = {
  usage: '[flags] PATH',
  help: 'Deletes a secret with all its versions, for good.',
  flags: [mountFlag],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const place = await place2(call, 'Error deleting')
    const path = kvPath(place, 'metadata')
    await asking(`Error deleting ${path}`, () => place.client.delete(path))
    if (call.format === 'table') say(call.io, `Success! Data deleted (if it existed) at: ${path}`)
    return 0
  },
}
