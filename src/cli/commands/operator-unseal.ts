import type { LiteralObject } from '../../client/literal-json.ts'
import type { Call, Command } from '../command.ts'
import { asking } from '../command.ts'
import { localFailure } from '../failure.ts'
import { showSealStatus } from './status.ts'

const keyOf = async (call: Call): Promise<string> => {
  const [argument] = call.args
  if (argument !== undefined) {
    return (argument === '-' ? await call.io.readStdin() : argument).trim()
  }
  const typed = await call.io.promptHidden('Unseal Key (will be hidden): ')
  if (typed === undefined) {
    throw localFailure(
      'Error: there is no terminal to ask for the unseal key: give it as an argument, or - to read it from standard input',
    )
  }
  return typed.trim()
}

/** `signet operator unseal`. */
export const operatorUnseal: Command = {
  usage: '[flags] [KEY]',
  help: 'Gives the server one of its unseal keys. It is unsealed once it has enough of them.',
  flags: [
    { name: 'reset', kind: 'boolean', help: 'Forget the keys given so far.' },
    { name: 'migrate', kind: 'boolean', help: 'The key is one of the seal migrated from.' },
  ],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const client = await call.client()
    const body: LiteralObject = call.flags.boolean('reset')
      ? { reset: true }
      : { key: await keyOf(call), ...(call.flags.boolean('migrate') ? { migrate: true } : {}) }
    const answer = await asking('Error unsealing', () => client.write('sys/unseal', body))
    showSealStatus(call, answer?.data ?? {}, undefined)
    return 0
  },
}
