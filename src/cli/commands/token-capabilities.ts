import { texts } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { printValue } from '../print-secret.ts'

/** `signet token capabilities`. */
export const tokenCapabilities: Command = {
  usage: '[flags] [TOKEN] PATH',
  help: 'Shows what a token may do at a path; the one in use when none is given.',
  flags: [
    { name: 'accessor', kind: 'boolean', help: 'The first argument is an accessor, not a token.' },
  ],
  args: { min: 1, max: 2 },
  run: async (call) => {
    const path = call.args.at(-1) ?? ''
    const token = call.args.length === 2 ? call.args[0] : undefined
    const client = await call.client()
    const secret = await asking('Error listing capabilities', () => {
      if (token === undefined) return client.post('sys/capabilities-self', { path })
      return call.flags.boolean('accessor')
        ? client.post('sys/capabilities-accessor', { accessor: token, path })
        : client.post('sys/capabilities', { token, path })
    })
    const capabilities = texts(secret?.data?.['capabilities'] ?? secret?.data?.[path]).toSorted()
    if (call.format === 'table') say(call.io, capabilities.join(', '))
    else printValue(call, capabilities)
    return 0
  },
}
