import type { Command } from '../command.ts'
import { asking, say } from '../command.ts'

/** `signet operator seal`. */
export const operatorSeal: Command = {
  usage: '[flags]',
  help: 'Seals the server: it forgets its keys and answers nothing until it is unsealed.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    const client = await call.client()
    await asking('Error sealing', () => client.write('sys/seal'))
    if (call.format === 'table') say(call.io, 'Success! Vault is sealed.')
    return 0
  },
}
