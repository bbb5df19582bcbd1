import { readFile } from 'node:fs/promises'
import type { Command } from '../command.ts'
import { say } from '../command.ts'

/** Signet's own version, from its package. */
export const ownVersion = async (): Promise<string> => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** `signet version`. */
export const version: Command = {
  usage: '',
  help: 'Prints the version of Signet and of its runtime.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    say(call.io, `Signet v${await ownVersion()} (Node ${process.versions.node})`)
    return 0
  },
}
