import { text } from '../../client/secret.ts'
import type { Command } from '../command.ts'
import { asking, mountPath, say, trimPath } from '../command.ts'
import { parseData } from '../data-arguments.ts'
import { remoteFailure } from '../failure.ts'
import { goText } from '../go-text.ts'
import { objectOf, printMounts } from '../mount-options.ts'
import { showWritten } from './write.ts'

/** `signet audit enable`. */
export const auditEnable: Command = {
  usage: '[flags] TYPE [K=V...]',
  help: 'Enables an audit device at the path that is its type, or at -path. K=V are its options: file_path=/var/log/audit.log.',
  flags: [
    { name: 'path', kind: 'text', help: 'Path of the device; its type when not given.' },
    { name: 'description', kind: 'text', help: 'What it is for, for people.' },
    { name: 'local', kind: 'boolean', help: 'Not replicated.' },
  ],
  args: { min: 1 },
  run: async (call) => {
    const type = (call.args[0] ?? '').trim()
    const path = mountPath(call.flags.text('path') ?? type)
    const options = await parseData(call.args.slice(1), call.io)
    const client = await call.client()
    const secret = await asking('Error enabling audit device', () =>
      client.write(`sys/audit/${trimPath(path)}`, {
        type,
        description: call.flags.text('description') ?? '',
        options,
        local: call.flags.boolean('local'),
      }),
    )
    return showWritten(call, secret, `Success! Enabled the ${type} audit device at: ${path}`)
  },
}

/** `signet audit list`. */
export const auditList: Command = {
  usage: '[flags]',
  help: 'Lists the audit devices. The exit code is 2 when there are none.',
  flags: [],
  args: { min: 0, max: 0 },
  run: async (call) => {
    const client = await call.client()
    const secret = await asking('Error listing audits', () => client.read('sys/audit'))
    const devices = secret?.data ?? {}
    if (Object.keys(devices).length === 0) {
      if (call.format === 'table') throw remoteFailure('No audit devices are enabled.')
      say(call.io, '{}')
      return 2
    }
    const detailed = call.flags.boolean('detailed')
    return printMounts(call, devices, (path, device) => [
      ['Path', path],
      ['Type', text(device['type'])],
      ['Description', text(device['description'])],
      ...(detailed
        ? [
            ['Replication', device['local'] === true ? 'local' : 'replicated'] as const,
            [
              'Options',
              Object.entries(objectOf(device['options']))
                .map(([name, value]) => `${name}=${goText(value)}`)
                .join(' '),
            ] as const,
          ]
        : []),
    ])
  },
}

/** `signet audit disable`. */
export const auditDisable: Command = {
  usage: '[flags] PATH',
  help: 'Disables an audit device.',
  flags: [],
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = mountPath(call.args[0] ?? '')
    const client = await call.client()
    await asking('Error disabling audit device', () => client.delete(`sys/audit/${trimPath(path)}`))
    if (call.format === 'table') {
      say(call.io, `Success! Disabled audit device (if it was enabled) at: ${path}`)
    }
    return 0
  },
}
