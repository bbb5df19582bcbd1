import type { Call, Mount, Namespace } from '../../engine/call.ts'
import type { NameEntry, TreePlace } from '../../engine/name-tree.ts'
import { nameTree } from '../../engine/name-tree.ts'
import type { Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { parseJson, stringifyJson } from '../../std/json.ts'

/*
 * Everything KV stores. M = the mount's 16 bytes, P = the 16-byte hash of a path in the mount, so no path stands in a key.
 *
 *   kv/<ns>M P              a secret: its data (version 1), or the metadata of its versions (version 2)
 *   kvn/<ns>M <folder> P    its name in its folder, and the names of folders: see engine/name-tree.ts
 *   kvv/<ns>M <id 16> <n 8> the data of version n (version 2); `id` is drawn when a secret is made, and never again
 *   kvg/<ns>M <id 16>       versions of a deleted secret that are still to be removed
 *   kvc/<ns>M               the configuration of a version 2 mount
 *
 * `kv` is what orders writers: every change of a secret reads and puts it, names are put and deleted with it in one commit.
 * A mount turned from version 1 to 2 needs no migration: a plain secret is read as version 1 of a versioned one, and the
 * next change makes it so. Numbers keep their literals (settled.md 5), hence the codec.
 */

const lossless = <T>() => ({
  encode: (value: T): Uint8Array => Buffer.from(stringifyJson(value as Json)),
  decode: (bytes: Uint8Array): T => parseJson(bytes) as T,
})

/** A secret of version 1. `written` in ms. */
export interface PlainSecret {
  readonly kind: 'plain'
  readonly written: number
  readonly data: JsonObject
}

/** One version: when it was made, when it is or will be deleted (0 = never), both in ms, and whether its data is destroyed. */
export type VersionTimes = readonly [created: number, deletion: number, destroyed: 0 | 1]

/** A secret of version 2, without data. Times in ms. */
export interface VersionedSecret {
  readonly kind: 'versioned'
  /** Hex of the 16 bytes under which the data of its versions is. */
  readonly id: string
  readonly created: number
  /** When the latest version was made; at first when the secret was. */
  readonly updated: number
  /** Number of the latest version; 0 = none yet. */
  readonly current: number
  /** Versions before this one are purged; 0 until the first purge. */
  readonly oldest: number
  /** Versions up to this one have no data in storage any more: what `oldest` purged and a write had room to remove. */
  readonly removed: number
  /** Versions max(oldest, 1) to current. */
  readonly versions: readonly VersionTimes[]
  /** 0 = the mount's. */
  readonly maxVersions: number
  readonly casRequired: boolean
  readonly metadataCasRequired: boolean
  /** Seconds; 0 = the mount's. */
  readonly deleteVersionAfter: number
  readonly customMetadata: Readonly<Record<string, string>> | null
  /** Counts writes of the metadata. */
  readonly metadataVersion: number
}

export type Secret = PlainSecret | VersionedSecret

export const secrets = recordKind<Secret>('kv', lossless())

/** The names of secrets and folders. */
export const secretNames = nameTree(recordKind<NameEntry>('kvn'))

/** The data of one version; null when null was written. */
export interface VersionData {
  readonly data: JsonObject | null
}
export const versionData = recordKind<VersionData>('kvv', lossless())

/** Every version under this id is to be removed. */
export const deletedSecrets = recordKind<Record<string, never>>('kvg')

/** Configuration of a version 2 mount. */
export interface KvConfig {
  /** 0 = 10. */
  readonly maxVersions: number
  readonly casRequired: boolean
  readonly metadataCasRequired: boolean
  /** Seconds; negative: no version of this mount is deleted by time, whatever the secrets say. */
  readonly deleteVersionAfter: number
}
export const configs = recordKind<KvConfig>('kvc')

/** What an engine's functions need of a call to find records. */
export type PlaceCall = Pick<Call, 'namespace' | 'mount' | 'names'>

/** Where the names of the call's mount are. */
export const placeOf = ({ namespace, mount, names }: PlaceCall): TreePlace => ({
  namespace: namespace.number,
  root: mount.key,
  names,
})

/** The secret of a path's hash. */
export const secretRef = (call: PlaceCall, pathHash: Uint8Array): Ref<Secret> =>
  secrets.at(call.namespace.number, call.mount.key, pathHash)

/** The configuration of the call's mount. */
export const configRef = ({
  namespace,
  mount,
}: {
  readonly namespace: Namespace
  readonly mount: Mount
}): Ref<KvConfig> => configs.at(namespace.number, mount.key)

/** The data of one version. */
export const versionRef = (
  { namespace, mount }: PlaceCall,
  id: string,
  version: number,
): Ref<VersionData> => {
  const number = Buffer.alloc(8)
  number.writeBigUInt64BE(BigInt(version))
  return versionData.at(namespace.number, mount.key, Buffer.from(id, 'hex'), number)
}
