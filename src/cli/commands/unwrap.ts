import type { Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { printSecret } from '../print-secret.ts'

/** `signet unwrap`. */
export const unwrap: Command = {
  usage: '[flags] [TOKEN]',
  help: 'Shows a wrapped answer; its wrapping token ends with that. Without an argument the token in use is the wrapping token.',
  flags: [],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const [token] = call.args
    const own = await call.client()
    const { token: ownToken } = own.options
    // Whoever has no token of their own asks with the wrapping token.
    const client = token === undefined || ownToken !== '' ? own : own.with({ token })
    const body = token === undefined || ownToken === '' || ownToken === token ? {} : { token }
    const secret = await asking('Error unwrapping', () => client.write('sys/wrapping/unwrap', body))
    if (secret === undefined) {
      if (call.format === 'table') {
        say(call.io, 'Successfully unwrapped. There was no data in the wrapped secret.')
      }
      return 0
    }
    return printSecret(call, secret)
  },
}
