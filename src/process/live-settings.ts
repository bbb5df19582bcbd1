import { DataReplaced } from '../core/data-replaced.ts'
import type { Namespace } from '../engine/call.ts'
import type { Records } from '../engine/records.ts'
import { StampWatch } from '../core/stamp-watch.ts'
import type { Settings } from '../engines/system/settings.ts'
import { settingsRef } from '../engines/system/settings.ts'
import type { Store } from '../storage/store.ts'
import { Unavailable } from '../storage/store.ts'

export interface LiveSettingsOptions {
  /** Sealed by the barrier. */
  readonly store: Store
  readonly records: Records
  readonly namespace: Namespace
  /** Told of the settings at the start and whenever they have changed. */
  readonly onChange: (settings: Settings) => void
  readonly log: (message: string, error?: unknown) => void
}

/**
 * The server's settings as this process follows them: whatever process or node changed them. `confirm` makes sure before
 * something rests on them; `start` looks every so often, for what nobody asks about (levels of loggers).
 */
export class LiveSettings {
  readonly #options: LiveSettingsOptions
  readonly #watch: StampWatch
  #settings: Settings = {}
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(options: LiveSettingsOptions) {
    this.#options = options
    const { store, namespace } = options
    this.#watch = new StampWatch(store, {
      stamp: settingsRef(namespace),
      reload: () => this.#read(),
    })
  }

  /** The settings as they are now. */
  async confirm(): Promise<Settings> {
    await this.#watch.confirm()
    return this.#settings
  }

  /**
   * The settings as they are now, or as they were last when the store is not there, or holds the data of a restore that is not in use yet:
   * whoever needs it says so.
   */
  async confirmOrLast(): Promise<Settings> {
    try {
      return await this.confirm()
    } catch (error) {
      if (passes(error)) return this.#settings
      throw error
    }
  }

  /** Reads them, and looks again every `intervalMs`. */
  async start(intervalMs: number): Promise<void> {
    await this.confirm()
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    }, intervalMs)
    this.#timer.unref()
  }

  /** Ends after the look under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    try {
      await this.confirm()
    } catch (error) {
      // Whoever needs the store says that it is gone; the next look may find it.
      if (!passes(error)) this.#options.log('following the settings failed', error)
    }
  }

  async #read(): Promise<void> {
    const { records, namespace, onChange } = this.#options
    this.#settings = (await records.get(settingsRef(namespace))) ?? {}
    onChange(this.#settings)
  }
}

const passes = (error: unknown): boolean =>
  error instanceof Unavailable || error instanceof DataReplaced
