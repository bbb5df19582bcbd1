import { invalid } from '../../engine/refusal.ts'
import type { AuditDevice, DeviceHost } from '../device.ts'
import type { DeviceOptions } from '../device-options.ts'
import { fileDevice } from './file-device.ts'
import { httpDevice } from './http-device.ts'
import { socketDevice } from './socket-device.ts'

/** Makes a device of options that are checked at once (Refusal); nothing is opened yet. */
export type DeviceType = (options: DeviceOptions, host: DeviceHost) => AuditDevice

/** The types of audit devices, by name. */
const TYPES: ReadonlyMap<string, DeviceType> = new Map<string, DeviceType>([
  ['file', fileDevice],
  ['http', httpDevice],
  ['socket', socketDevice],
])

/** The type of that name; throws a Refusal when there is none. */
export const deviceType = (name: string): DeviceType => {
  const type = TYPES.get(name)
  if (type !== undefined) return type
  if (name === 'syslog') {
    throw invalid(
      'audit devices of type "syslog" are not supported: send to the log daemon through a "socket" device, or write a "file"',
    )
  }
  throw invalid(`unknown backend type: ${JSON.stringify(name)}`)
}
