import { invalid } from '../engine/refusal.ts'
import type { DeviceOptions } from './device-options.ts'
import { commonOptions } from './device-options.ts'
import { trimSlashes } from '../std/trim-slashes.ts'

/** An audit device as it is kept, by configuration or by sys/audit. */
export interface AuditDeviceConfig {
  /** Ends in `/`: `file/`. */
  readonly path: string
  readonly type: string
  readonly description: string
  readonly options: DeviceOptions
  readonly local: boolean
  /** Random text (a uuid) made when the device is enabled, and kept; never shown. */
  readonly salt: string
}

/** What the server allows beyond the reference's defaults. */
export interface DeviceGates {
  /** `allow_audit_log_prefixing`. */
  readonly prefixes: boolean
}

/** A device's path as it is kept: `file` becomes `file/`. Throws a Refusal when nothing is left. */
export const devicePath = (path: string): string => {
  const bare = trimSlashes(path)
  if (bare === '') throw invalid('backend path must be specified')
  return `${bare}/`
}

/** Refuses a new device whose path is, begins or continues one in use, or whose prefix the server does not allow. */
export const checkNewDevice = (
  { path, options }: Pick<AuditDeviceConfig, 'path' | 'options'>,
  existing: readonly Pick<AuditDeviceConfig, 'path'>[],
  gates: DeviceGates,
): void => {
  if (existing.some((other) => other.path.startsWith(path) || path.startsWith(other.path))) {
    throw invalid('path already in use')
  }
  if (!gates.prefixes && commonOptions(options).prefix !== '') {
    throw invalid('audit log prefixing is not allowed')
  }
}
