import { FieldError, field } from '../../engine/field.ts'
import type { Tx } from '../../engine/records.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data, raw } from '../../engine/result.ts'
import type { JsonObject } from '../../std/json.ts'
import { asFloats } from './float-numbers.ts'
import { mergePatch } from './merge-patch.ts'
import type { KvConfig, Secret, VersionedSecret } from './records.ts'
import { versionRef } from './records.ts'
import { checkSecretSize } from './secret-size.ts'
import { readVersion } from './v2-data-read.ts'
import type { DataCall } from './v2-fields.ts'
import type { Place } from './v2-find.ts'
import { findPlace, placeToWrite, readConfig } from './v2-find.ts'
import { saveSecret } from './v2-save.ts'
import {
  addVersion,
  asVersioned,
  isGone,
  newSecret,
  timesOf,
  withTimes,
} from './versioned-secret.ts'
import { versionMetadata } from './wire-times.ts'

const number = field.int()

/** `options.cas` as a number; undefined when it was not sent. Throws the recorded 400. */
const sentCas = ({ input }: DataCall): number | undefined => {
  const { options } = input
  if (options === undefined || !Object.hasOwn(options, 'cas')) return undefined
  try {
    return number.coerce(options['cas'] ?? null)
  } catch (error) {
    if (error instanceof FieldError) throw invalid('error parsing check-and-set parameter')
    throw error
  }
}

const checkCas = (call: DataCall, secret: VersionedSecret, config: KvConfig): void => {
  const sent = sentCas(call)
  if (sent === undefined) {
    if (config.casRequired || secret.casRequired) {
      throw invalid('check-and-set parameter required for this call')
    }
  } else if (sent !== secret.current) {
    throw invalid('check-and-set parameter did not match the current version')
  }
}

/** The body's `data` with numbers as floats; null stays null. Throws the recorded 400 when it was not sent. */
const sentData = (call: DataCall): JsonObject | null => {
  if (!call.has('data')) throw invalid('no data provided')
  return call.input.data ? asFloats(call.input.data) : null
}

/** Stores one more version. */
const storeVersion = (
  tx: Tx,
  call: DataCall,
  place: Place,
  stored: { readonly before: Secret | undefined; readonly secret: VersionedSecret },
  config: KvConfig,
  content: JsonObject | null,
): Result => {
  const after = addVersion(stored.secret, config, call.now)
  tx.put(versionRef(call, after.id, after.current), { data: content })
  saveSecret(tx, call, place, stored.before, after)
  return data(versionMetadata(after.current, timesOf(after, after.current)!, after.customMetadata))
}

/** `POST data/<path>`: one more version, or the first. */
export const writeDataRoute = async (call: DataCall): Promise<Result> => {
  if (call.input.path === '') throw invalid('missing path')
  const content = sentData(call)
  checkSecretSize(content)
  const place = placeToWrite(call)
  const id = call.randomBytes(16).toString('hex')
  return call.records.transact(async (tx) => {
    const before = await tx.get(place.ref)
    const config = await readConfig(tx, call)
    const secret = before === undefined ? newSecret(id, call.now) : asVersioned(before, id)
    checkCas(call, secret, config)
    return storeVersion(tx, call, place, { before, secret }, config, content)
  })
}

/** `PATCH data/<path>`: a version that is the latest one, merged with the body's data. */
export const patchDataRoute = async (call: DataCall): Promise<Result> => {
  if (call.input.path === '') throw invalid('missing path')
  const patch = sentData(call)
  const place = findPlace(call)
  if (place === undefined) return raw(404, '')
  const id = call.randomBytes(16).toString('hex')
  return call.records.transact(async (tx): Promise<Result> => {
    const before = await tx.get(place.ref)
    if (before === undefined) return raw(404, '')
    const config = await readConfig(tx, call)
    const secret = asVersioned(before, id)
    checkCas(call, secret, config)
    const times = timesOf(secret, secret.current)
    if (times === undefined) return raw(404, '')
    if (isGone(times, call.now)) {
      return data(versionMetadata(secret.current, times, secret.customMetadata), { status: 404 })
    }
    const latest = await readVersion(tx, call, before, secret.current)
    if (latest === undefined) throw failed('could not find version data')
    if (latest.data === null) throw failed('resource does not exist')
    const merged = mergePatch(latest.data, patch) as JsonObject | null
    checkSecretSize(merged)
    return storeVersion(tx, call, place, { before, secret }, config, merged)
  })
}

/** `DELETE data/<path>`: the latest version is deleted, and can be undeleted. */
export const deleteDataRoute = async (call: DataCall): Promise<Result> => {
  const place = findPlace(call)
  if (place === undefined) return undefined
  const id = call.randomBytes(16).toString('hex')
  await call.records.transact(async (tx) => {
    const before = await tx.get(place.ref)
    if (before === undefined) return
    const secret = asVersioned(before, id)
    const times = timesOf(secret, secret.current)
    if (times === undefined || isGone(times, call.now)) return
    saveSecret(tx, call, place, before, withTimes(secret, secret.current, [times[0], call.now, 0]))
  })
  return undefined
}
