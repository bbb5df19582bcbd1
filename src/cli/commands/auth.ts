import type { LiteralValue } from '../../client/literal-json.ts'
import { text } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, mountPath, say, trimPath } from '../command.ts'
import type { Flag } from '../flags.ts'
import {
  authFlags,
  enableBody,
  enableFlags,
  mountDetails,
  objectOf,
  printMounts,
  tuneFlags,
} from '../mount-options.ts'
import { disableMount, tuneMount } from '../change-mount.ts'
import { moveMount } from '../move-mount.ts'
import { remoteFailure } from '../failure.ts'
import { showWritten } from './write.ts'

/** `signet auth enable`. */
export const authEnable: Command = {
  usage: '[flags] TYPE',
  help: 'Enables an auth method (userpass, approle, jwt …) at the path that is its type, or at -path.',
  flags: [...enableFlags, ...tuneFlags, ...authFlags],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const type = (call.args[0] ?? '').trim()
    const path = mountPath(call.flags.text('path') ?? type)
    const client = await call.client()
    const secret = await asking(`Error enabling ${type} auth`, () =>
      client.post(`sys/auth/${trimPath(path)}`, enableBody(call, type)),
    )
    return showWritten(call, secret, `Success! Enabled ${type} auth method at: ${path}`)
  },
}

/** `signet auth list`. */
export const authList: Command = {
  usage: '[flags]',
  help: 'Lists the auth methods with path, type and accessor.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    const client = await call.client()
    const secret = await asking('Error listing enabled authentications', () =>
      client.read('sys/auth'),
    )
    const detailed = call.flags.boolean('detailed')
    return printMounts(call, secret?.data ?? {}, (path, mount) =>
      detailed
        ? [['Path', path], ...mountDetails(mount)]
        : [
            ['Path', path],
            ['Type', text(mount['type'])],
            ['Accessor', text(mount['accessor'])],
            ['Description', text(mount['description'])],
            ['Version', text(mount['plugin_version'])],
          ],
    )
  },
}

const lockoutFlags: readonly Flag[] = [
  {
    name: 'user-lockout-threshold',
    kind: 'integer',
    help: 'Failed logins until a user is locked out.',
  },
  { name: 'user-lockout-duration', kind: 'duration', help: 'How long a user stays locked out.' },
  {
    name: 'user-lockout-counter-reset-duration',
    kind: 'duration',
    help: 'After how long failed logins are forgotten.',
  },
  { name: 'user-lockout-disable', kind: 'boolean', help: 'Never lock a user out.' },
]

const lockoutOptions = (call: Call): Record<string, LiteralValue> => {
  const { flags } = call
  const threshold = flags.text('user-lockout-threshold')
  const duration = flags.text('user-lockout-duration')
  const reset = flags.text('user-lockout-counter-reset-duration')
  const disable = flags.optionalBoolean('user-lockout-disable')
  const config = {
    ...(threshold === undefined ? {} : { lockout_threshold: threshold }),
    ...(duration === undefined ? {} : { lockout_duration: duration }),
    ...(reset === undefined ? {} : { lockout_counter_reset_duration: reset }),
    ...(disable === undefined ? {} : { lockout_disable: disable }),
  }
  return Object.keys(config).length === 0 ? {} : { user_lockout_config: config }
}

/** `signet auth tune`. */
export const authTune: Command = {
  usage: '[flags] PATH',
  help: 'Changes options of an auth method; those not given stay as they are.',
  flags: [...tuneFlags, ...authFlags, ...lockoutFlags],
  args: { min: 1, max: 1 },
  run: async (call) => await tuneMount(call, 'auth method', 'sys/auth', lockoutOptions(call)),
}

/** `signet auth move`. */
export const authMove: Command = {
  usage: '[flags] SOURCE DESTINATION',
  help: 'Moves an auth method to another path; accessor and aliases stay.',
  flags: [],
  args: { min: 2, max: 2 },
  run: async (call) => await moveMount(call, 'auth method', 'auth/'),
}

/** `signet auth disable`. */
export const authDisable: Command = {
  usage: '[flags] PATH',
  help: 'Disables an auth method: its tokens end, and its aliases lose their mount for good.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => await disableMount(call, 'auth method', 'sys/auth'),
}

const howTo: ReadonlyMap<string, string> = new Map([
  ['token', 'signet login TOKEN, or signet login and paste it'],
  ['userpass', 'signet login -method=userpass -path=PATH username=NAME'],
  ['jwt', 'signet login -method=jwt -path=PATH role=ROLE jwt=@FILE'],
  ['approle', 'signet login -method=approle -path=PATH role_id=ID secret_id=ID'],
])

/** `signet auth help`. */
export const authHelp: Command = {
  usage: '[flags] TYPE | PATH/',
  help: 'Says how to log in through an auth method, given its type or where it is mounted.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const word = call.args[0] ?? ''
    const direct = howTo.get(word)
    if (direct !== undefined) {
      say(call.io, direct)
      return 0
    }
    const path = mountPath(word)
    const client = await call.client()
    const secret = await asking('Error listing enabled authentications', () =>
      client.read('sys/auth'),
    )
    const type = text(objectOf(secret?.data?.[path])['type'])
    if (type === '') throw remoteFailure(`Error: no auth method at ${path}`)
    const known = howTo.get(type)
    say(
      call.io,
      known === undefined
        ? `signet write auth/${path}login …, as signet path-help auth/${path}login says`
        : known.replace('PATH', trimPath(path)),
    )
    return 0
  },
}
