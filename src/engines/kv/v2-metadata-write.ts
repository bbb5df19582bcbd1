import { invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data, raw } from '../../engine/result.ts'
import type { JsonObject } from '../../std/json.ts'
import type { CustomMetadata } from './custom-metadata.ts'
import { patchCustomMetadata, replaceCustomMetadata } from './custom-metadata.ts'
import type { KvConfig, VersionedSecret } from './records.ts'
import { asCount } from './v2-config.ts'
import type { MetadataCall } from './v2-fields.ts'
import { findPlace, placeToWrite, readConfig } from './v2-find.ts'
import { saveSecret } from './v2-save.ts'
import { asVersioned, newSecret } from './versioned-secret.ts'

const SETTABLE = [
  'max_versions',
  'cas_required',
  'metadata_cas_required',
  'delete_version_after',
  'custom_metadata',
] as const

const setsNothing = (call: MetadataCall): boolean => !SETTABLE.some((name) => call.has(name))

/** The settings that a call sends. */
const sentSettings = ({ input }: MetadataCall): Partial<VersionedSecret> => {
  const {
    max_versions: maxVersions,
    cas_required: casRequired,
    metadata_cas_required: metadataCasRequired,
    delete_version_after: deleteVersionAfter,
  } = input
  return {
    ...(maxVersions === undefined ? {} : { maxVersions: asCount(maxVersions) }),
    ...(casRequired === undefined ? {} : { casRequired }),
    ...(metadataCasRequired === undefined ? {} : { metadataCasRequired }),
    ...(deleteVersionAfter === undefined ? {} : { deleteVersionAfter }),
  }
}

/** Settings of the call that the mount's outweigh, as warnings. */
const vainSettings = ({ input }: MetadataCall, config: KvConfig): readonly string[] => {
  const vain = [
    ...(input.cas_required === false && config.casRequired ? ['cas_required'] : []),
    ...(input.metadata_cas_required === false && config.metadataCasRequired
      ? ['metadata_cas_required']
      : []),
  ]
  return vain.map(
    (name) =>
      `"${name}" set to false, but is mandated by backend config. This value will be ignored.`,
  )
}

/** `before` undefined: the secret is new. */
const checkMetadataCas = (
  { input }: MetadataCall,
  before: VersionedSecret | undefined,
  config: KvConfig,
): void => {
  const cas = input.metadata_cas
  if (cas === undefined) {
    if (config.metadataCasRequired || before?.metadataCasRequired === true) {
      throw invalid('metadata check-and-set parameter required for this call')
    }
  } else if (before === undefined && cas !== 0) {
    throw invalid('metadata_cas must be 0 when creating new metadata')
  } else if (before !== undefined && cas !== before.metadataVersion) {
    throw invalid('metadata check-and-set parameter does not match the current version')
  }
}

const withSettings = (
  secret: VersionedSecret,
  settings: Partial<VersionedSecret>,
  customMetadata: CustomMetadata | null,
): VersionedSecret => ({
  ...secret,
  ...settings,
  customMetadata,
  metadataVersion: secret.metadataVersion + 1,
})

/** 204, or 200 when there is something to warn of. */
const done = (call: MetadataCall, warnings: readonly string[]): Result => {
  for (const text of warnings) call.warn(text)
  return warnings.length === 0 ? undefined : data(null)
}

/** The custom metadata of the body; null as an empty one. */
const sentCustom = ({ input }: MetadataCall): JsonObject | null => input.custom_metadata ?? null

/** `POST metadata/<path>`: what was not sent stays; custom metadata is replaced. */
export const writeMetadataRoute = async (call: MetadataCall): Promise<Result> => {
  if (call.input.path === '') throw invalid('missing path')
  if (setsNothing(call)) return undefined
  const custom = call.has('custom_metadata')
    ? replaceCustomMetadata(sentCustom(call) ?? {})
    : undefined
  const settings = sentSettings(call)
  const place = placeToWrite(call)
  const id = call.randomBytes(16).toString('hex')
  const warnings = await call.records.transact(async (tx) => {
    const before = await tx.get(place.ref)
    const config = await readConfig(tx, call)
    const present = before === undefined ? undefined : asVersioned(before, id)
    checkMetadataCas(call, present, config)
    const secret = present ?? newSecret(id, call.now)
    const kept = custom === undefined ? secret.customMetadata : custom
    saveSecret(tx, call, place, before, withSettings(secret, settings, kept))
    return vainSettings(call, config)
  })
  return done(call, warnings)
}

/** `PATCH metadata/<path>`: custom metadata is merged; null resets. Only of a secret that is there. */
export const patchMetadataRoute = async (call: MetadataCall): Promise<Result> => {
  if (call.input.path === '') throw invalid('missing path')
  const place = findPlace(call)
  if (place === undefined) return raw(404, '')
  const settings = sentSettings(call)
  // The field takes null as not sent; a patch takes it as a reset.
  const resets =
    call.has('delete_version_after') && settings.deleteVersionAfter === undefined
      ? { deleteVersionAfter: 0 }
      : {}
  const id = call.randomBytes(16).toString('hex')
  const warnings = await call.records.transact(async (tx) => {
    const before = await tx.get(place.ref)
    if (before === undefined) return undefined
    if (setsNothing(call)) return []
    const config = await readConfig(tx, call)
    const secret = asVersioned(before, id)
    checkMetadataCas(call, secret, config)
    const custom = call.has('custom_metadata') ? sentCustom(call) : {}
    const kept = custom === null ? null : patchCustomMetadata(secret.customMetadata, custom)
    saveSecret(tx, call, place, before, withSettings(secret, { ...settings, ...resets }, kept))
    return vainSettings(call, config)
  })
  return warnings === undefined ? raw(404, '') : done(call, warnings)
}
