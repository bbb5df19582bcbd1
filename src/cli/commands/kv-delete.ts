import type { Call, Command } from '../command.ts'
import { asking, say } from '../command.ts'
import { localFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { kvPath, kvPlace, mountFlag } from '../kv-mount.ts'

const versionsFlag: Flag = {
  name: 'versions',
  kind: 'list',
  help: 'Versions, separated by commas; repeatable.',
}

const versionsOf = (call: Call): number[] =>
  call.flags
    .list('versions')
    .flatMap((each) => each.split(','))
    .filter((each) => each.trim() !== '')
    .map((each) => {
      const version = Number(each)
      if (!Number.isSafeInteger(version) || version < 0) {
        throw localFailure(`invalid value ${JSON.stringify(each)} for flag -versions: no version`)
      }
      return version
    })

/** `signet kv delete`. */
export const kvDelete: Command = {
  usage: '[flags] PATH',
  help: 'Deletes the newest version of a secret, or those of -versions; version 2 of the engine can bring them back.',
  flags: [mountFlag, versionsFlag],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const [written = ''] = call.args
    const versions = versionsOf(call)
    const place = await kvPlace(call, written, `Error deleting ${written}`)
    const data = kvPath(place, 'data')
    const some = place.version === 2 && versions.length > 0
    await asking(`Error deleting ${data}`, () =>
      some ? place.client.write(kvPath(place, 'delete'), { versions }) : place.client.delete(data),
    )
    if (call.format === 'table') say(call.io, `Success! Data deleted (if it existed) at: ${data}`)
    return 0
  },
}

const versionCommand = (part: 'undelete' | 'destroy', help: string): Command => ({
  usage: '[flags] -versions=N[,N...] PATH',
  help,
  flags: [mountFlag, versionsFlag],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const [written = ''] = call.args
    const versions = versionsOf(call)
    if (versions.length === 0)
      throw localFailure(`No versions given: say which to ${part} with -versions`)
    const failed = part === 'undelete' ? 'Error undeleting' : 'Error destroying'
    const place = await kvPlace(call, written, `${failed} ${written}`)
    if (place.version !== 2) {
      throw localFailure(`${part} is not supported on K/V Version 1 mounts`)
    }
    const path = kvPath(place, part)
    await asking(`Error writing data to ${path}`, () => place.client.write(path, { versions }))
    if (call.format === 'table') say(call.io, `Success! Data written to: ${path}`)
    return 0
  },
})

/** `signet kv undelete`. */
export const kvUndelete: Command = versionCommand(
  'undelete',
  'Brings deleted versions of a secret back.',
)

/** `signet kv destroy`. */
export const kvDestroy: Command = versionCommand(
  'destroy',
  'Removes versions of a secret for good.',
)
