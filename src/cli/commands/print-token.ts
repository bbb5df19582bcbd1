import type { Command } from '../command.ts'
import { say } from '../command.ts'
import { targetOf, tokenOf } from '../connect.ts'

/** `signet print token`. */
export const printToken: Command = {
  usage: '',
  help: 'Prints the token that commands would use, from the environment or the token helper.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    say(call.io, await tokenOf(await targetOf(call.flags, call.io), call.io))
    return 0
  },
}
