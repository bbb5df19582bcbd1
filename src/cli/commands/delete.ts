import type { Command } from '../command.ts'
import { asking, trimPath } from '../command.ts'
import { parseData, queryOf } from '../data-arguments.ts'
import { showWritten } from './write.ts'

/** `signet delete`. */
export const deletePath: Command = {
  usage: '[flags] PATH [K=V...]',
  help: 'Deletes what is at a path of the API. K=V are parameters of the request.',
  flags: [],
  args: { min: 1 },
  run: async (call) => {
    const path = trimPath(call.args[0] ?? '')
    const query = queryOf(await parseData(call.args.slice(1), call.io))
    const client = await call.client()
    const secret = await asking(`Error deleting ${path}`, () => client.delete(path, query))
    return showWritten(call, secret, `Success! Data deleted (if it existed) at: ${path}`)
  },
}
