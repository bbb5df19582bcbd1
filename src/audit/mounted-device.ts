import { Breather } from '../std/breather.ts'
import type { JsonObject } from '../std/json.ts'
import { isShared } from '../std/shared-json.ts'
import type { AuditDevice, DeviceHost } from './device.ts'
import type { AuditDeviceConfig } from './device-config.ts'
import type { AuditAuth } from './entry.ts'
import { commonOptions } from './device-options.ts'
import { deviceType } from './devices/index.ts'
import { longHashedObject, visitLeaves } from './hashed-json.ts'
import type { Conceal } from './hashed-json.ts'
import { AuditHmac } from './hmac.ts'
import { auditLimits } from './limits.ts'
import { renderAuth } from './render-entry.ts'
import type { EntryForm } from './render-entry.ts'

/** Makes the text of an entry for a device: at once, unless it is large. */
export type EntryRenderer = (mounted: MountedDevice) => string | Promise<string>

/** A device at its path: where its entries go, and how they are written. */
export class MountedDevice {
  readonly config: AuditDeviceConfig
  readonly device: AuditDevice
  readonly form: EntryForm
  readonly hmac: AuditHmac
  /** Whether its last entry failed. */
  failing = false
  readonly #raw: boolean
  readonly #prefix: string
  /** Texts of the `auth` of entries: that of a caller stands in all its entries. */
  readonly #auths = new WeakMap<AuditAuth, string>()
  #entries = 0
  #idle: (() => void) | undefined

  /** Checks the configuration (Refusal); opens nothing. */
  constructor(config: AuditDeviceConfig, host: DeviceHost, listKeysMax: number) {
    const options = commonOptions(config.options)
    this.config = config
    this.device = deviceType(config.type)(config.options, host)
    this.hmac = new AuditHmac(config.salt)
    this.#raw = options.logRaw
    this.#prefix = options.prefix
    const shown: Conceal = (text) => text
    const conceal: Conceal = options.logRaw ? shown : (text) => this.hmac.hash(text)
    const concealNew: Conceal = options.logRaw ? shown : (text) => this.hmac.hashOnce(text)
    this.form = {
      conceal,
      concealAccessor: options.hmacAccessor ? conceal : shown,
      made: {
        conceal: concealNew,
        concealAccessor: options.hmacAccessor ? concealNew : shown,
      },
      elideLists: options.elideListResponses,
      itemsMax: listKeysMax,
    }
  }

  /** The form for an entry with this data: the text of what is long is made beforehand, letting others run in between. */
  formFor(
    data: JsonObject | undefined,
    clear: ReadonlySet<string>,
    itemsMax: number,
  ): EntryForm | Promise<EntryForm> {
    if (data === undefined || isShared(data)) return this.form
    let leaves: number = auditLimits.leavesAtOnce
    let units: number = auditLimits.unitsAtOnce
    const few = visitLeaves(data, itemsMax, (text) => {
      units -= text.length
      return --leaves >= 0 && units >= 0
    })
    return few ? this.form : this.#longForm(data, clear, itemsMax)
  }

  async #longForm(
    data: JsonObject,
    clear: ReadonlySet<string>,
    itemsMax: number,
  ): Promise<EntryForm> {
    const breather = new Breather()
    const conceal = (text: string): string | Promise<string> => {
      if (this.#raw) return text
      return text.length > auditLimits.unitsAtOnce
        ? this.hmac.hashLong(text, breather)
        : this.hmac.hashOnce(text)
    }
    const dataText = await longHashedObject(data, { clear, itemsMax }, conceal, breather)
    return { ...this.form, dataText }
  }

  /** The text of an `auth` that may stand in other entries too. */
  authText(auth: AuditAuth | undefined): string {
    if (auth === undefined) return renderAuth(this.form, undefined)
    let text = this.#auths.get(auth)
    if (text === undefined) {
      text = renderAuth(this.form, auth)
      this.#auths.set(auth, text)
    }
    return text
  }

  /** Resolves when the device has the entry that `render` makes, without prefix and newline. */
  async log(render: EntryRenderer): Promise<void> {
    this.#entries++
    try {
      const entry = render(this)
      const text = typeof entry === 'string' ? entry : await entry
      await this.device.write(`${this.#prefix}${text}\n`)
    } finally {
      if (--this.#entries === 0) this.#idle?.()
    }
  }

  /** Closes the device once the entries begun are with it; none may be begun any more. */
  async close(): Promise<void> {
    if (this.#entries > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await this.device.close()
  }
}
