import { recordKind } from '../engine/records.ts'
import type { Version } from '../storage/store.ts'

/** One change of the set of mounts. */
interface MountChange {
  /** The version of the `mounts` stamp that it found. */
  readonly from: Version
  /** The mount that came, changed or went. */
  readonly uuid: string
}

/** The latest changes of the set of mounts, each on top of the one before it; the newest last. */
export type MountChanges = readonly MountChange[]

/** `mc/<ns>`: put with every change of the set, in the commit that puts the `mounts` stamp, so both have one version. */
export const mountChanges = recordKind<MountChanges>('mc')

/** A process that missed more of them lists the keys of all mounts. */
const REMEMBERED = 32

/** With one more: of the mount `uuid`, made where the stamp had the version `from`. */
export const withMountChange = (
  before: MountChanges | undefined,
  from: Version,
  uuid: string,
): MountChanges => [...(before ?? []).slice(1 - REMEMBERED), { from, uuid }]

/** The mounts that changed since the stamp had the version `known`, once each; undefined when that is not remembered. */
export const changedMounts = (
  changes: MountChanges,
  known: Version,
): readonly string[] | undefined => {
  const first = changes.findIndex(({ from }) => from === known)
  return first === -1 ? undefined : [...new Set(changes.slice(first).map(({ uuid }) => uuid))]
}
