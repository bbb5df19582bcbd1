import { randomUUID } from 'node:crypto'
import { invalid } from '../engine/refusal.ts'
import { openAppend } from './append-file.ts'
import { AuditFailed } from './audit-failed.ts'
import type { AuditTrail } from './audit-trail.ts'
import { Trail } from './audit-trail.ts'
import type { DeviceHost } from './device.ts'
import type { AuditDeviceConfig } from './device-config.ts'
import { devicePath } from './device-config.ts'
import { commonOptions } from './device-options.ts'
import type { AuditRequest } from './entry.ts'
import { nanoTime } from './entry-time.ts'
import { failureText } from './failure-text.ts'
import { auditLimits } from './limits.ts'
import { MountedDevice } from './mounted-device.ts'
import { renderAuth, renderCommon, renderRequestEntry } from './render-entry.ts'

/** What a broker is made of. */
export interface AuditBrokerOptions {
  /** Hears when a device begins or ceases to fail; never of what an entry holds. */
  readonly log: (message: string, error?: unknown) => void
  /** Ms since 1970. */
  readonly now: () => number
  /** Told of each entry that no device took. */
  readonly onFailed?: () => void
  /** Longer lists are written as their counts; default 10,000, `Infinity` for full entries whatever they cost. */
  readonly listKeysMax?: number
  /** The machine, where tests fake it. */
  readonly host?: Partial<DeviceHost>
}

/** A device that is on but could not be opened: its entries fail until it can. */
export interface DeviceProblem {
  readonly path: string
  readonly text: string
}

/** Writes the entries of requests to all devices, and says when none took one. One per process. */
export interface AuditBroker {
  /** From now on these are the devices: removed ones are closed, unchanged ones kept. Throws a Refusal for a bad one, changing nothing. */
  setDevices(configs: readonly AuditDeviceConfig[]): Promise<readonly DeviceProblem[]>
  devices(): readonly AuditDeviceConfig[]
  /** Whether a device of this configuration takes an entry (unless `skip_test`): a Refusal says why not. */
  test(config: AuditDeviceConfig): Promise<void>
  /** Begins the trail of a request; free while there are no devices. */
  begin(request: AuditRequest): AuditTrail
  /** What the text is in the entries of a device (sys/audit-hash). Throws a Refusal for an unknown path or no text. */
  hash(path: string, text: string): string
  /** Opens all devices anew (SIGHUP). */
  reopen(): Promise<readonly DeviceProblem[]>
  /** Whether the last entry was taken by no device. */
  failing(): boolean
  /** The paths of the devices that did not take their last entry. */
  failingDevices(): readonly string[]
  /** Writes what waits and lets all devices go. */
  close(): Promise<void>
}

/** Makes a broker without devices. */
export const createAuditBroker = (options: AuditBrokerOptions): AuditBroker => new Broker(options)

const sameDevice = (a: AuditDeviceConfig, b: AuditDeviceConfig): boolean =>
  a.path === b.path &&
  a.type === b.type &&
  a.salt === b.salt &&
  Object.keys(a.options).length === Object.keys(b.options).length &&
  Object.entries(a.options).every(
    ([name, value]) => Object.hasOwn(b.options, name) && b.options[name] === value,
  )

class Broker implements AuditBroker {
  readonly #options: AuditBrokerOptions
  readonly #host: DeviceHost
  readonly #listKeysMax: number
  #mounted: readonly MountedDevice[] = []
  #configs: readonly AuditDeviceConfig[] = []
  #failing = false
  #now = Number.NaN
  #time = ''
  /** Changes of the list happen one after the other. */
  #change: Promise<unknown> = Promise.resolve()

  constructor(options: AuditBrokerOptions) {
    this.#options = options
    this.#listKeysMax = options.listKeysMax ?? auditLimits.listKeys
    this.#host = {
      openAppend,
      stdout: process.stdout,
      environment: process.env,
      ...options.host,
    }
  }

  setDevices(configs: readonly AuditDeviceConfig[]): Promise<readonly DeviceProblem[]> {
    const change = this.#change.then(() => this.#set(configs))
    this.#change = change.catch(() => undefined)
    return change
  }

  async #set(configs: readonly AuditDeviceConfig[]): Promise<readonly DeviceProblem[]> {
    const before = this.#mounted
    const after = configs.map(
      (config) =>
        before.find((mounted) => sameDevice(mounted.config, config)) ??
        new MountedDevice(config, this.#host, this.#listKeysMax),
    )
    const problems = await this.#open(after.filter((mounted) => !before.includes(mounted)))
    this.#mounted = after
    this.#configs = configs
    if (after.length === 0) this.#failing = false
    for (const mounted of before) if (!after.includes(mounted)) await this.#letGo(mounted)
    return problems
  }

  async #open(devices: readonly MountedDevice[]): Promise<readonly DeviceProblem[]> {
    return await this.#each(devices, (mounted) => mounted.device.open())
  }

  /** Does this to all; what fails is logged and told. */
  async #each(
    devices: readonly MountedDevice[],
    action: (mounted: MountedDevice) => Promise<void>,
  ): Promise<readonly DeviceProblem[]> {
    const problems: DeviceProblem[] = []
    const attempts = devices.map(async (mounted) => {
      try {
        await action(mounted)
      } catch (error) {
        problems.push({ path: mounted.config.path, text: failureText(error) })
        this.note(mounted, error)
      }
    })
    await Promise.all(attempts)
    return problems
  }

  async #letGo(mounted: MountedDevice): Promise<void> {
    try {
      await mounted.close()
    } catch (error) {
      this.#options.log(`audit device ${mounted.config.path} could not be closed`, error)
    }
  }

  devices(): readonly AuditDeviceConfig[] {
    return this.#configs
  }

  async test(config: AuditDeviceConfig): Promise<void> {
    const mounted = new MountedDevice(
      { ...config, salt: randomUUID() },
      this.#host,
      this.#listKeysMax,
    )
    try {
      await mounted.device.open()
    } catch (error) {
      throw invalid(failureText(error))
    }
    try {
      if (!commonOptions(config.options).skipTest) await mounted.log(() => this.#testEntry(mounted))
    } catch (error) {
      throw invalid(`audit backend failed test message: ${failureText(error)}`)
    } finally {
      await this.#letGo(mounted)
    }
  }

  #testEntry({ form }: MountedDevice): string {
    const request: AuditRequest = {
      id: randomUUID(),
      operation: 'update',
      path: 'sys/audit/test',
      namespace: { id: 'root', path: '' },
    }
    return renderRequestEntry(this.time(), renderCommon(form, renderAuth(form, undefined), request))
  }

  begin(request: AuditRequest): AuditTrail {
    return new Trail(this, request)
  }

  hash(path: string, text: string): string {
    if (text === '') throw invalid('the "input" parameter is empty')
    const wanted = devicePath(path)
    const mounted = this.#mounted.find(({ config }) => config.path === wanted)
    if (mounted === undefined) throw invalid(`unknown audit backend ${JSON.stringify(wanted)}`)
    return mounted.hmac.hash(text)
  }

  reopen(): Promise<readonly DeviceProblem[]> {
    return this.#each(this.#mounted, (mounted) => mounted.device.reopen())
  }

  failing(): boolean {
    return this.#failing
  }

  failingDevices(): readonly string[] {
    return this.#mounted.filter(({ failing }) => failing).map(({ config }) => config.path)
  }

  async close(): Promise<void> {
    await this.setDevices([])
  }

  /** For the trails: the devices now. */
  get mounted(): readonly MountedDevice[] {
    return this.#mounted
  }

  /** For the trails: the time of an entry; entries of one millisecond share the text. */
  time(): string {
    const now = this.#options.now()
    if (now !== this.#now) {
      this.#now = now
      this.#time = nanoTime(now)
    }
    return this.#time
  }

  /** For the trails: how a device did. Only changes are logged: a full disk fails thousands of requests a second. */
  note(mounted: MountedDevice, error?: unknown): void {
    const failing = error !== undefined
    if (mounted.failing === failing) return
    mounted.failing = failing
    const { path } = mounted.config
    if (failing) this.#options.log(`audit device ${path} fails: ${failureText(error)}`, error)
    else this.#options.log(`audit device ${path} takes entries again`)
  }

  /** For the trails: whether an entry was taken at all. */
  settle(failed: AuditFailed | undefined): void {
    const failing = failed !== undefined
    if (failing) this.#options.onFailed?.()
    if (failed !== undefined && !this.#failing) {
      this.#options.log(`${failed.message}: requests are refused until one does`, failed.cause)
    }
    this.#failing = failing
  }
}
