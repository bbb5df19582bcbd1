import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { ConfigCall } from './v2-fields.ts'
import { configRef } from './records.ts'
import { readConfig } from './v2-find.ts'
import { wireDuration } from './wire-times.ts'

/** A count as the reference keeps it: 32 bits without sign (recorded: -1 reads 4294967295). */
export const asCount = (value: number): number => value >>> 0

/** `GET config` */
export const readConfigRoute = async (call: ConfigCall): Promise<Result> => {
  const config = await readConfig(call.records, call)
  return data({
    cas_required: config.casRequired,
    delete_version_after: wireDuration(config.deleteVersionAfter),
    max_versions: config.maxVersions,
    metadata_cas_required: config.metadataCasRequired,
  })
}

/** `POST config`: what was not sent stays. */
export const writeConfigRoute = async (call: ConfigCall): Promise<Result> => {
  const { input } = call
  const {
    max_versions: maxVersions,
    cas_required: casRequired,
    metadata_cas_required: metadataCasRequired,
    delete_version_after: deleteVersionAfter,
  } = input
  const change = {
    ...(maxVersions === undefined ? {} : { maxVersions: asCount(maxVersions) }),
    ...(casRequired === undefined ? {} : { casRequired }),
    ...(metadataCasRequired === undefined ? {} : { metadataCasRequired }),
    ...(deleteVersionAfter === undefined
      ? {}
      : { deleteVersionAfter: Math.max(deleteVersionAfter, -1) }),
  }
  if (Object.keys(change).length === 0) return undefined
  await call.records.transact(async (tx) =>
    tx.put(configRef(call), { ...(await readConfig(tx, call)), ...change }),
  )
  return undefined
}
