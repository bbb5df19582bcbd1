import type { Mount, Namespace } from '../call.ts'
import type { Ref, Records } from '../records.ts'

/** `user_lockout_config` of a mount; undefined members fall back to the server's. Durations in seconds. */
export interface LockoutTuning {
  readonly threshold?: number
  readonly durationSeconds?: number
  readonly counterResetSeconds?: number
  readonly disabled?: boolean
}

/** What `sys/mounts` keeps of a mount. Raw tuned values: 0 or absent = inherit. */
export interface MountTuning {
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  readonly forceNoCache: boolean
  readonly auditNonHmacRequestKeys?: readonly string[]
  readonly auditNonHmacResponseKeys?: readonly string[]
  /** '', `hidden` or `unauth`. */
  readonly listingVisibility: string
  readonly passthroughRequestHeaders?: readonly string[]
  readonly allowedResponseHeaders?: readonly string[]
  /** Auth mounts: `default-service` unless tuned. */
  readonly tokenType: string
  readonly lockout?: LockoutTuning
}

/** One mount, stored as `m/<ns><uuid>`. `path` as in `Mount`: auth mounts begin with `auth/`. */
export interface MountRecord {
  readonly uuid: string
  readonly accessor: string
  readonly class: 'auth' | 'secret'
  readonly type: string
  readonly path: string
  readonly description: string
  readonly local: boolean
  readonly sealWrap: boolean
  readonly externalEntropyAccess: boolean
  readonly options: Readonly<Record<string, string>> | null
  readonly pluginVersion: string
  readonly tuning: MountTuning
  /** The last move: its id and when (ms); tokens that the mount issued before are dead. */
  readonly moved?: {
    readonly id: string
    readonly from: string
    readonly to: string
    readonly at: number
  }
}

/** What a new mount is made of. */
export type NewMount = Omit<MountRecord, 'uuid' | 'accessor' | 'moved'>

/** The mount table as `sys/` uses it. Every change is one commit that puts the mounts stamp. */
export interface MountPort {
  /** All mounts of the namespace, by path (byte order). */
  all(namespace: Namespace): Promise<readonly MountRecord[]>
  /** The effective view of a record. */
  view(record: MountRecord): Mount
  /** The mount with the longest path that begins `path`, `path` taken with a slash at its end. */
  covering(namespace: Namespace, path: string): Promise<MountRecord | undefined>
  byAccessor(namespace: Namespace, accessor: string): Promise<MountRecord | undefined>
  /** Whether an engine of this class and type exists here. */
  hasType(mountClass: 'auth' | 'secret', type: string): boolean
  /** Asks the engine of this class and type about options; it throws Refusals. */
  checkOptions(
    mountClass: 'auth' | 'secret',
    type: string,
    options: Readonly<Record<string, string>>,
  ): void
  /** Whether logins of this type can be locked out. */
  hasLockout(type: string): boolean
  /** Whether logins of this type are for a role that can be told before. */
  hasLoginRole(type: string): boolean
  /**
   * Decides and writes in one commit: `decide` sees all mounts as they are in the commit and gives the mount to add;
   * it throws Refusals (taken paths). Gives what was added.
   */
  add(
    records: Records,
    namespace: Namespace,
    decide: (present: readonly MountRecord[]) => NewMount,
  ): Promise<MountRecord>
  /** Changes one mount by accessor; `change` throws Refusals; undefined result when it is gone. */
  change(
    records: Records,
    namespace: Namespace,
    accessor: string,
    change: (record: MountRecord, present: readonly MountRecord[]) => MountRecord,
  ): Promise<MountRecord | undefined>
  /** Removes a mount: its tokens and data are dead at once, cleaned up in the background. */
  remove(records: Records, namespace: Namespace, accessor: string): Promise<void>
  /** The record whose version guards a mount. */
  ref(namespace: Namespace, uuid: string): Ref<MountRecord>
}
