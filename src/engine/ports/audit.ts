import type { Call } from '../call.ts'

/** An audit device as `sys/audit` shows it; `path` ends in a slash. */
export interface AuditDeviceView {
  readonly type: string
  readonly path: string
  readonly description: string
  readonly local: boolean
  readonly options: Readonly<Record<string, string>>
}

/** The audit devices as `sys/audit*` uses them. */
export interface AuditPort {
  /** By path. */
  list(): Promise<readonly AuditDeviceView[]>
  /** Tests the device, then enables it everywhere. Throws the recorded Refusals. */
  enable(call: Call<unknown>, device: AuditDeviceView): Promise<void>
  /** Nothing happens when there is none; devices of the configuration cannot be disabled: throws a Refusal. */
  disable(call: Call<unknown>, path: string): Promise<void>
  /** `hmac-sha256:…` of a text with the device's salt; undefined when there is no such device. */
  hash(path: string, text: string): Promise<string | undefined>
  /** The request headers that entries show, by name in lower case, in its order. */
  headers(): Promise<ReadonlyMap<string, { readonly hmac: boolean }>>
  setHeader(call: Call<unknown>, name: string, hmac: boolean): Promise<void>
  /** Nothing happens when there is none. */
  removeHeader(call: Call<unknown>, name: string): Promise<void>
}
