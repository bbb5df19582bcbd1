import type { Call, Namespace } from '../../engine/call.ts'
import type { Quotas } from '../../engine/ports/quotas.ts'
import type { LogLevel } from '../../std/log-level.ts'
import type { Ref, Tx } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'

/** Who may ask from a page of another origin. */
export interface CorsSettings {
  /** `*` alone: any. */
  readonly origins: readonly string[]
  /** Beside the usual ones. */
  readonly headers: readonly string[]
  readonly credentials: boolean
}

/** When the keyring rotates by itself. */
export interface RotationSettings {
  /** Values encrypted under one key. */
  readonly maxOperations: number
  /** 0: never because of time. */
  readonly intervalSeconds: number
}

/** `se/<ns>`: what is set over the API and concerns the server as a whole. Every process follows it. */
export interface Settings {
  /** Absent: pages of other origins may not ask. */
  readonly cors?: CorsSettings
  /** Headers of the pages below `/ui/`: canonical name and values. */
  readonly uiHeaders?: readonly (readonly [string, readonly string[]])[]
  /** Loggers whose level is not the configured one. */
  readonly logLevels?: readonly (readonly [string, LogLevel])[]
  readonly rotation?: RotationSettings
  /** How many requests each client may make. */
  readonly quotas?: Quotas
}

export const settingsRecords = recordKind<Settings>('se')

/** Where they stand. */
export const settingsRef = (namespace: Pick<Namespace, 'number'>): Ref<Settings> =>
  settingsRecords.at(namespace.number)

/** The settings as they are. */
export const readSettings = async (call: Pick<Call, 'records' | 'namespace'>): Promise<Settings> =>
  (await call.records.get(settingsRef(call.namespace))) ?? {}

/** Changes the settings; nothing is written when `change` gives undefined. */
export const changeSettings = (
  call: Pick<Call, 'records' | 'namespace'>,
  change: (present: Settings) => Settings | undefined,
): Promise<void> =>
  call.records.transact(async (tx: Tx) => {
    const ref = settingsRef(call.namespace)
    const changed = change((await tx.get(ref)) ?? {})
    if (changed !== undefined) tx.put(ref, changed)
  })
