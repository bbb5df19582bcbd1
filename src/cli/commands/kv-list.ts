import type { Command } from '../command.ts'
import { asking } from '../command.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'
import { showList } from './list.ts'

/** `signet kv list`. */
export const kvList: Command = {
  usage: '[flags] [PATH]',
  help: 'Lists the secrets below a path; names that end in a slash are folders.',
  flags: [mountFlag],
  args: { min: 0, max: 1 },
  run: async (call) => {
    const written = call.args[0] ?? ''
    const place = await kvPlace(call, written, `Error listing ${written}`)
    const path = kvPath(place, 'metadata')
    const secret = await asking(`Error listing ${path}`, () => place.client.list(path))
    return showList(call, path, secret)
  },
}
