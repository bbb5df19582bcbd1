import { text } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking, say, trimPath } from '../command.ts'
import { remoteFailure } from '../failure.ts'
import { printValue } from '../print-secret.ts'

/** `signet path-help`. */
export const pathHelp: Command = {
  usage: '[flags] PATH',
  help: 'Shows the help that the server gives for a path of its API.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = trimPath(call.args[0] ?? '')
    const client = await call.client()
    const secret = await asking('Error retrieving help', () => client.read(path, { help: '1' }))
    const help = secret?.data
    if (help === undefined) throw remoteFailure(`No help for ${path}`)
    if (call.format === 'table') say(call.io, text(help['help']).trimEnd())
    else printValue(call, help)
    return 0
  },
}
