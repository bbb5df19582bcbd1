import type { Tx } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import type { KvConfig, VersionedSecret, VersionTimes } from './records.ts'
import { versionRef } from './records.ts'
import type { VersionsCall } from './v2-fields.ts'
import { findPlace, readConfig } from './v2-find.ts'
import { saveSecret } from './v2-save.ts'
import { asVersioned, isGone, plannedDeletion, timesOf, withTimes } from './versioned-secret.ts'

/** What becomes of one version; undefined = it stays as it is. */
type Change = (
  times: VersionTimes,
  secret: VersionedSecret,
  config: KvConfig,
) => VersionTimes | undefined

/** Changes the listed versions of a secret in one commit; unknown ones are passed over. */
const changeVersions = async (
  call: VersionsCall,
  change: Change,
  alsoPut: (tx: Tx, secret: VersionedSecret, version: number) => void = () => undefined,
): Promise<Result> => {
  const place = findPlace(call)
  if (place === undefined) return undefined
  const id = call.randomBytes(16).toString('hex')
  const numbers = new Set(call.input.versions)
  await call.records.transact(async (tx) => {
    const before = await tx.get(place.ref)
    if (before === undefined) return
    const config = await readConfig(tx, call)
    let secret = asVersioned(before, id)
    const changed: number[] = []
    for (const version of numbers) {
      const times = timesOf(secret, version)
      const next = times === undefined ? undefined : change(times, secret, config)
      if (next === undefined) continue
      secret = withTimes(secret, version, next)
      changed.push(version)
    }
    if (changed.length === 0) return
    saveSecret(tx, call, place, before, secret)
    for (const version of changed) alsoPut(tx, secret, version)
  })
  return undefined
}

const isEmpty = ({ input }: VersionsCall): boolean =>
  input.versions === undefined || input.versions.length === 0

/** `POST delete/<path>` */
export const deleteVersionsRoute = async (call: VersionsCall): Promise<Result> => {
  if (isEmpty(call)) throw invalid('No version number provided')
  return changeVersions(call, (times) =>
    isGone(times, call.now) ? undefined : [times[0], call.now, 0],
  )
}

/** `POST undelete/<path>`; where versions are deleted by time, that time begins anew. */
export const undeleteVersionsRoute = async (call: VersionsCall): Promise<Result> => {
  if (isEmpty(call)) throw invalid('No version number provided')
  return changeVersions(call, ([created, deletion, destroyed], secret, config) =>
    destroyed === 1 || deletion === 0
      ? undefined
      : [created, plannedDeletion(secret, config, call.now), 0],
  )
}

/** `POST destroy/<path>`: the data is gone for good. */
export const destroyVersionsRoute = async (call: VersionsCall): Promise<Result> => {
  if (isEmpty(call)) throw invalid('no version number provided')
  return changeVersions(
    call,
    ([created, deletion, destroyed]) => (destroyed === 1 ? undefined : [created, deletion, 1]),
    (tx, secret, version) => tx.delete(versionRef(call, secret.id, version)),
  )
}
