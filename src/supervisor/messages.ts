import type { ServerAddress } from '../config/running-server.ts'
import type { ServerConfig, StorageKind } from '../config/server-config.ts'
import type { Taken } from '../core/rate-counter.ts'
import type { Measured } from '../metrics/measured.ts'
import type { Asked } from './remote-rates.ts'

/** What the supervisor tells a worker, apart from keys. */
export type ToWorker =
  /** Answers `take`. */
  | { readonly kind: 'taken'; readonly number: number; readonly taken: readonly Taken[] }
  /** It will be told to start, or not at all: what it then needs it can load before. */
  | { readonly kind: 'prepare'; readonly storage: StorageKind }
  /** `first`: has the socket files, which cannot be shared. */
  | { readonly kind: 'start'; readonly config: ServerConfig; readonly first: boolean }
  | { readonly kind: 'drain' }
  | { readonly kind: 'reload' }
  /** Answered by `measured`. */
  | { readonly kind: 'measure' }
  /** Answers `measure-all`, by process. */
  | {
      readonly kind: 'all-measured'
      readonly number: number
      readonly all: readonly (readonly Measured[])[]
    }

/** What a worker tells its supervisor, apart from keys. */
export type ToSupervisor =
  /** Counts requests; answered by `taken`. */
  | { readonly kind: 'take'; readonly number: number; readonly asked: readonly Asked[] }
  /** It has opened the data, and may write from now on. */
  | { readonly kind: 'opened' }
  | { readonly kind: 'listening'; readonly addresses: readonly ServerAddress[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly code: string | undefined }
  /** It accepts no more connections; those it has it still serves. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'alive' }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'measured'; readonly measured: readonly Measured[] }
  /** Asks what all processes have measured. */
  | { readonly kind: 'measure-all'; readonly number: number }
