import type { Command } from '../command.ts'
import { asking, mountPath, trimPath } from '../command.ts'
import { showWritten } from './write.ts'

/** `signet kv enable-versioning`. */
export const kvEnableVersioning: Command = {
  usage: '[flags] MOUNT',
  help: 'Turns a version 1 mount into version 2, for good.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = mountPath(call.args[0] ?? '')
    const client = await call.client()
    const secret = await asking(`Error tuning secrets engine ${path}`, () =>
      client.post(`sys/mounts/${trimPath(path)}/tune`, { options: { version: '2' } }),
    )
    return showWritten(call, secret, `Success! Tuned the secrets engine at: ${path}`)
  },
}
