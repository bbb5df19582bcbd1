import type { Mount, Namespace } from '../../engine/call.ts'
import { dropRange } from '../../engine/drop-range.ts'
import type { Records } from '../../engine/records.ts'
import { configs, deletedSecrets, secretNames, secrets, versionData } from './records.ts'

/** Removes all that a mount stored, once it is disabled. May be broken off and run again. */
export const dropMount = async (
  records: Records,
  namespace: Namespace,
  mount: Pick<Mount, 'key'>,
): Promise<void> => {
  const root = mount.key
  for (const range of [
    secrets.under(namespace.number, root),
    secretNames.all(namespace.number, root),
    versionData.under(namespace.number, root),
    deletedSecrets.under(namespace.number, root),
    configs.under(namespace.number, root),
  ]) {
    await dropRange(records, range)
  }
}

/** Removes the data of deleted secrets of a mount that their deletion had no room to remove. */
export const removeDeletedVersions = async (
  records: Records,
  namespace: Namespace,
  mount: Pick<Mount, 'key'>,
): Promise<void> => {
  for await (const page of records.scan(deletedSecrets.under(namespace.number, mount.key))) {
    for (const { tail } of page) {
      await dropRange(records, versionData.under(namespace.number, mount.key, tail))
      await records.transact(async (tx) =>
        tx.delete(deletedSecrets.at(namespace.number, mount.key, tail)),
      )
    }
  }
}
