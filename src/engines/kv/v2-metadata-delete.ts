import type { Result } from '../../engine/result.ts'
import { limits } from '../../limits.ts'
import { removeDeletedVersions } from './drop.ts'
import { deletedSecrets, secretNames, versionRef } from './records.ts'
import type { MetadataCall } from './v2-fields.ts'
import { findPlace } from './v2-find.ts'

/**
 * `DELETE metadata/<path>`: the secret with all of its versions. It is gone with one commit; data of more versions than fit in
 * it is unreachable from then on and removed behind it, by the next such deletion if this one breaks off.
 */
export const deleteMetadataRoute = async (call: MetadataCall): Promise<Result> => {
  await removeDeletedVersions(call.records, call.namespace, call.mount)
  const place = findPlace(call)
  if (place === undefined) return undefined
  const rest = await call.records.transact(async (tx) => {
    const secret = await tx.get(place.ref)
    if (secret === undefined) return false
    tx.delete(place.ref)
    await secretNames.uproot(tx, call.records, place.leaf)
    if (secret.kind === 'plain') return false
    const last = Math.min(secret.current, secret.removed + limits.secretPurges)
    for (let version = secret.removed + 1; version <= last; version++) {
      tx.delete(versionRef(call, secret.id, version))
    }
    if (last === secret.current) return false
    const id = Buffer.from(secret.id, 'hex')
    tx.put(deletedSecrets.at(call.namespace.number, call.mount.key, id), {})
    return true
  })
  if (rest) await removeDeletedVersions(call.records, call.namespace, call.mount)
  return undefined
}
