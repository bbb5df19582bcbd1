import { text } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking, mountPath, say, trimPath } from '../command.ts'
import {
  enableBody,
  enableFlags,
  engineOptions,
  mountDetails,
  printMounts,
  tuneFlags,
  tuneOptions,
} from '../mount-options.ts'
import { moveMount } from '../move-mount.ts'
import { showWritten } from './write.ts'

/** `signet secrets enable`. */
export const secretsEnable: Command = {
  usage: '[flags] TYPE',
  help: 'Enables a secrets engine (kv, kv-v2 …) at the path that is its type, or at -path.',
  flags: [...enableFlags, ...tuneFlags],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const type = (call.args[0] ?? '').trim()
    const path = mountPath(call.flags.text('path') ?? type)
    const client = await call.client()
    const secret = await asking('Error enabling', () =>
      client.post(`sys/mounts/${trimPath(path)}`, enableBody(call, type)),
    )
    return showWritten(call, secret, `Success! Enabled the ${type} secrets engine at: ${path}`)
  },
}

/** `signet secrets list`. */
export const secretsList: Command = {
  usage: '[flags]',
  help: 'Lists the secrets engines with path, type and accessor.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    const client = await call.client()
    const secret = await asking('Error listing secrets engines', () => client.read('sys/mounts'))
    const detailed = call.flags.boolean('detailed')
    return printMounts(call, secret?.data ?? {}, (path, mount) =>
      detailed
        ? [['Path', path], ...mountDetails(mount).filter(([name]) => name !== 'Token Type')]
        : [
            ['Path', path],
            ['Type', text(mount['type'])],
            ['Accessor', text(mount['accessor'])],
            ['Description', text(mount['description'])],
          ],
    )
  },
}

/** `signet secrets tune`. */
export const secretsTune: Command = {
  usage: '[flags] PATH',
  help: 'Changes options of a secrets engine; those not given stay as they are.',
  flags: tuneFlags,
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = mountPath(call.args[0] ?? '')
    const description = call.flags.text('description')
    const options = engineOptions(call)
    const client = await call.client()
    const secret = await asking(`Error tuning secrets engine ${path}`, () =>
      client.post(`sys/mounts/${trimPath(path)}/tune`, {
        ...tuneOptions(call),
        ...(description === undefined ? {} : { description }),
        ...(options === undefined ? {} : { options }),
      }),
    )
    return showWritten(call, secret, `Success! Tuned the secrets engine at: ${path}`)
  },
}

/** `signet secrets move`. */
export const secretsMove: Command = {
  usage: '[flags] SOURCE DESTINATION',
  help: 'Moves a secrets engine to another path; its leases are revoked.',
  flags: [],
  args: { min: 2, max: 2 },
  run: async (call) => await moveMount(call, 'secrets engine', ''),
}

/** `signet secrets disable`. */
export const secretsDisable: Command = {
  usage: '[flags] PATH',
  help: 'Disables a secrets engine: its data is deleted, its leases are revoked.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = mountPath(call.args[0] ?? '')
    const client = await call.client()
    await asking(`Error disabling secrets engine at ${path}`, () =>
      client.delete(`sys/mounts/${trimPath(path)}`),
    )
    if (call.format === 'table') {
      say(call.io, `Success! Disabled the secrets engine (if it existed) at: ${path}`)
    }
    return 0
  },
}
