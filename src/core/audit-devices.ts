import { isDeepStrictEqual } from 'node:util'
import type { AuditBroker, DeviceProblem } from '../audit/broker.ts'
import type { AuditedHeaders } from '../audit/headers.ts'
import type { AuditDeviceConfig, DeviceGates } from '../audit/device-config.ts'
import { checkNewDevice } from '../audit/device-config.ts'
import type { Call, Namespace } from '../engine/call.ts'
import type { AuditDeviceView, AuditPort } from '../engine/ports/audit.ts'
import type { Names, Records, Tx } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import { invalid } from '../engine/refusal.ts'
import { freshLoad } from './fresh-load.ts'

/** `au/<ns>H(path)`: an audit device with its salt; `declared` ones stand in the configuration. */
export interface AuditDeviceRecord extends AuditDeviceConfig {
  readonly declared: boolean
}
export const auditDevices = recordKind<AuditDeviceRecord>('au')

/** `ah/<ns>H(name)`: a request header that audit entries show. */
export const auditHeaders = recordKind<{ readonly name: string; readonly hmac: boolean }>('ah')

export interface AuditDevicesOptions {
  readonly broker: AuditBroker
  readonly records: Records
  readonly names: Names
  readonly root: Namespace
  /** Devices of the configuration. */
  readonly declared: readonly AuditDeviceView[]
  readonly gates: DeviceGates
}

/** The audit devices: kept as records, opened by this process's broker; and the request headers that they write. */
export class AuditDevices implements AuditPort {
  readonly #options: AuditDevicesOptions
  #headers: AuditedHeaders = new Map()

  constructor(options: AuditDevicesOptions) {
    this.#options = options
  }

  /** Takes in what the configuration says and opens all devices. Rejects when a declared one cannot be opened. */
  async start(): Promise<void> {
    const { declared, records } = this.#options
    const salts = declared.map(() => crypto.randomUUID())
    const present = await this.#all()
    await records.transact(async (tx) => {
      let changed = false
      for (const device of present) {
        if (!device.declared || declared.some(({ path }) => path === device.path)) continue
        tx.delete(this.#ref(device.path))
        changed = true
      }
      for (const [index, device] of declared.entries()) {
        const before = await tx.get(this.#ref(device.path))
        const salt = before?.salt ?? salts[index]!
        const record: AuditDeviceRecord = { ...device, salt, declared: true }
        // Every worker comes by here: only the first has something to write.
        if (before !== undefined && isDeepStrictEqual(before, record)) continue
        tx.put(this.#ref(device.path), record)
        changed = true
      }
      if (changed) this.#moved(tx)
    })
    const problems = await this.#reload()
    const names = new Set(declared.map(({ path }) => path))
    const fatal = problems.filter(({ path }) => names.has(path))
    if (fatal.length > 0) {
      throw new Error(
        fatal
          .map(({ path, text }) => `the audit device ${path} cannot be opened: ${text}`)
          .join('\n'),
      )
    }
  }

  /** Takes in what other processes changed. */
  async reload(): Promise<void> {
    await this.#reload()
  }

  readonly #reload = freshLoad(async (): Promise<readonly DeviceProblem[]> => {
    await this.#loadHeaders()
    return this.#options.broker.setDevices(await this.#all())
  })

  /** Other processes take in the change before they serve their next request. */
  #moved(tx: Tx): void {
    tx.stamp('audit', this.#options.root.number)
  }

  async list(): Promise<readonly AuditDeviceView[]> {
    return (await this.#all()).map(({ type, path, description, local, options }) => ({
      type,
      path,
      description,
      local,
      options,
    }))
  }

  async enable(call: Call<unknown>, device: AuditDeviceView): Promise<void> {
    const { broker, gates } = this.#options
    const record: AuditDeviceRecord = { ...device, salt: crypto.randomUUID(), declared: false }
    checkNewDevice(record, await this.#all(), gates)
    await broker.test(record)
    await call.records.transact(async (tx) => {
      // Every change of the devices puts the stamp, so none of them goes unseen (architecture.md A1).
      await tx.checkStamp('audit', this.#options.root.number)
      checkNewDevice(record, await this.#all(), gates)
      tx.put(this.#ref(device.path), record)
      this.#moved(tx)
    })
    await this.#reload()
  }

  async disable(call: Call<unknown>, path: string): Promise<void> {
    await call.records.transact(async (tx) => {
      const present = await tx.get(this.#ref(path))
      if (present === undefined) return
      if (present.declared) throw invalid('cannot disable configuration-managed audit device')
      tx.delete(this.#ref(path))
      this.#moved(tx)
    })
    await this.#reload()
  }

  async hash(path: string, text: string): Promise<string | undefined> {
    const { broker } = this.#options
    return broker.devices().some((device) => device.path === path)
      ? broker.hash(path, text)
      : undefined
  }

  /** The audited headers as this process last read them. */
  get auditedHeaders(): AuditedHeaders {
    return this.#headers
  }

  async headers(): Promise<AuditedHeaders> {
    await this.#loadHeaders()
    return this.#headers
  }

  async setHeader(call: Call<unknown>, name: string, hmac: boolean): Promise<void> {
    const ref = this.#headerRef(name)
    await call.records.transact(async (tx) => {
      tx.put(ref, { name, hmac })
      this.#moved(tx)
    })
    await this.#loadHeaders()
  }

  async removeHeader(call: Call<unknown>, name: string): Promise<void> {
    const ref = this.#headerRef(name)
    await call.records.transact(async (tx) => {
      if ((await tx.get(ref)) === undefined) return
      tx.delete(ref)
      this.#moved(tx)
    })
    await this.#loadHeaders()
  }

  readonly #loadHeaders = freshLoad(async (): Promise<void> => {
    const { records, root } = this.#options
    const headers: (readonly [string, { readonly hmac: boolean }])[] = []
    for await (const page of records.scan(auditHeaders.under(root.number))) {
      headers.push(...page.map(({ value: { name, hmac } }) => [name, { hmac }] as const))
    }
    this.#headers = new Map(headers.sort(([a], [b]) => (a < b ? -1 : 1)))
  })

  #headerRef(name: string) {
    const { names, root } = this.#options
    return auditHeaders.at(root.number, names.hash('audit-header', name))
  }

  async #all(): Promise<AuditDeviceRecord[]> {
    const { records, root } = this.#options
    const all: AuditDeviceRecord[] = []
    for await (const page of records.scan(auditDevices.under(root.number))) {
      all.push(...page.map(({ value }) => value))
    }
    return all.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  #ref(path: string) {
    const { names, root } = this.#options
    return auditDevices.at(root.number, names.hash('audit-path', path))
  }
}
