import type { Secret } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking } from '../command.ts'
import { parseData } from '../data-arguments.ts'
import { localFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'
import { sayObject, sayPath } from '../kv-table.ts'
import { printNotices, printSecret } from '../print-secret.ts'
import { showWritten } from './write.ts'

/** The flag for check-and-set. */
export const casFlag: Flag = {
  name: 'cas',
  kind: 'integer',
  help: 'Write only when the newest version is this one; 0: only when there is none.',
}

/** Prints what a write of a secret answered: the new version's metadata, or that it succeeded. */
export const showVersion = (call: Call, secret: Secret | undefined, path: string): number => {
  if (secret?.data === undefined)
    return showWritten(call, secret, `Success! Data written to: ${path}`)
  if (call.format !== 'table' || (call.flags.text('field') ?? '') !== '') {
    return printSecret(call, secret)
  }
  printNotices(call, secret)
  sayPath(call, 'Secret Path', path)
  sayObject(call, 'Metadata', secret.data)
  return 0
}

/** The options of a write of version 2. */
export const writeOptions = (call: Call): Record<string, number> => {
  const cas = call.flags.integer('cas')
  return cas === undefined || cas < 0 ? {} : { cas }
}

/** `signet kv put`. */
export const kvPut: Command = {
  usage: '[flags] PATH [K=V...]',
  help: 'Writes a secret whole: keys not given are gone. A value may be @file or - for standard input; a lone @file or - is a JSON object.',
  flags: [mountFlag, casFlag],
  args: { min: 1 },
  run: async (call) => {
    const [written = '', ...words] = call.args
    const data = await parseData(words, call.io)
    if (words.length === 0) throw localFailure('Must supply data')
    const place = await kvPlace(call, written, `Error writing data to ${written}`)
    const path = kvPath(place, 'data')
    const body = place.version === 2 ? { data, options: writeOptions(call) } : data
    const secret = await asking(`Error writing data to ${path}`, () =>
      place.client.write(path, body),
    )
    return showVersion(call, secret, path)
  },
}
