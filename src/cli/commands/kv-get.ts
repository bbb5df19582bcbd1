import type { Secret } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { remoteFailure } from '../failure.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'
import { sayObject, sayPath } from '../kv-table.ts'
import { objectOf } from '../mount-options.ts'
import { fieldOf, printField, printNotices, printSecret } from '../print-secret.ts'

const showVersion2 = (call: Call, secret: Secret, path: string): number => {
  const field = call.flags.text('field') ?? ''
  const data = secret.data?.['data'] ?? null
  if (field !== '') {
    if (data === null) throw remoteFailure(`No data found at ${path}`)
    const value = objectOf(data)
    return printField(call, fieldOf({ ...secret, data: value }, field), field)
  }
  if (call.format !== 'table' || secret.wrapInfo !== undefined) return printSecret(call, secret)
  printNotices(call, secret)
  sayPath(call, 'Secret Path', path)
  sayObject(call, 'Metadata', objectOf(secret.data?.['metadata']))
  if (data !== null) {
    say(call.io, '')
    sayObject(call, 'Data', objectOf(data))
  }
  return 0
}

/** `signet kv get`. */
export const kvGet: Command = {
  usage: '[flags] PATH',
  help: 'Reads a secret. For version 2 of the engine -version reads an earlier one.',
  flags: [
    mountFlag,
    { name: 'version', kind: 'integer', help: 'Which version; the newest when not given.' },
  ],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const [written = ''] = call.args
    const place = await kvPlace(call, written, `Error reading ${written}`)
    const path = kvPath(place, 'data')
    const version = call.flags.text('version')
    const query = place.version === 2 && version !== undefined ? { version } : {}
    const secret = await asking(`Error reading ${path}`, () => place.client.read(path, query))
    if (secret === undefined) throw remoteFailure(`No value found at ${path}`)
    return place.version === 2 ? showVersion2(call, secret, path) : showVersion1(call, secret)
  },
}

const showVersion1 = (call: Call, secret: Secret): number => {
  const field = call.flags.text('field') ?? ''
  if (call.format !== 'table' || field !== '' || secret.data === undefined) {
    return printSecret(call, secret)
  }
  printNotices(call, secret)
  sayObject(call, 'Data', secret.data)
  return 0
}
