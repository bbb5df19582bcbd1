import { text } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking, mountPath, trimPath } from '../command.ts'
import { enableBody, enableFlags, mountDetails, printMounts, tuneFlags } from '../mount-options.ts'
import { disableMount, tuneMount } from '../change-mount.ts'
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
  run: async (call) => await tuneMount(call, 'secrets engine', 'sys/mounts'),
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
  run: async (call) => await disableMount(call, 'secrets engine', 'sys/mounts'),
}
