import type { Reader } from '../../engine/records.ts'
import { failed } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { SharedAnswers } from '../../engine/shared-answers.ts'
import { storedAsFloats } from './float-numbers.ts'
import type { PlaceCall, Secret, VersionData } from './records.ts'
import { versionRef } from './records.ts'
import { subkeys } from './subkeys.ts'
import type { DataCall, SubkeysCall } from './v2-fields.ts'
import type { Place } from './v2-find.ts'
import { findPlace } from './v2-find.ts'
import { asVersioned, isGone, timesOf } from './versioned-secret.ts'
import { versionMetadata } from './wire-times.ts'

/** The stored data of a version that is neither purged nor destroyed; undefined when it is not there. */
export const readVersion = async (
  reader: Reader,
  call: PlaceCall,
  secret: Secret,
  version: number,
): Promise<VersionData | undefined> =>
  secret.kind === 'plain'
    ? { data: storedAsFloats(secret.data) }
    : reader.get(versionRef(call, secret.id, version))

interface FoundVersion {
  readonly secret: Secret
  readonly metadata: Readonly<Record<string, unknown>>
  /** When the version is deleted by time, ms; undefined: it is not. */
  readonly until: number | undefined
  /** 'gone': deleted or destroyed. */
  readonly content: VersionData | 'gone' | 'lost'
}

const findVersion = async (
  reader: Reader,
  call: DataCall | SubkeysCall,
  place: Place,
): Promise<FoundVersion | undefined> => {
  const secret = await reader.get(place.ref)
  if (secret === undefined) return undefined
  const versioned = asVersioned(secret)
  const version = call.input.version > 0 ? call.input.version : versioned.current
  const times = timesOf(versioned, version)
  if (times === undefined) return undefined
  const metadata = versionMetadata(version, times, versioned.customMetadata)
  const found = { secret, metadata, until: times[1] === 0 ? undefined : times[1] }
  if (isGone(times, call.now)) return { ...found, content: 'gone' }
  return { ...found, content: (await readVersion(reader, call, secret, version)) ?? 'lost' }
}

/**
 * The version that a call reads. Data of a version never changes, so metadata and data need not come from one snapshot; only
 * when the data is gone is everything read again as a whole.
 */
const readFound = async (
  call: DataCall | SubkeysCall,
  place: Place,
): Promise<FoundVersion | undefined> => {
  const found = await findVersion(call.records, call, place)
  if (found?.content !== 'lost') return found
  return call.records.transact((tx) => findVersion(tx, call, place))
}

/** A version whose data is there, or the answer that tells why it is not. */
const readContent = async (
  call: DataCall | SubkeysCall,
  name: 'data' | 'subkeys',
  place: Place,
): Promise<(FoundVersion & { readonly content: VersionData }) | { readonly instead: Result }> => {
  const found = await readFound(call, place)
  if (found === undefined) return { instead: undefined }
  const { content, metadata } = found
  if (content === 'gone') {
    return { instead: data({ [name]: null, metadata }, { status: 404 }) }
  }
  // The reference finds the metadata of `a/`, which is that of `a`, but no data (recorded: http/path-spelling 2).
  if (content === 'lost' || call.input.path.endsWith('/')) {
    throw failed('could not find version data')
  }
  return { ...found, content }
}

/** `GET data/<path>`; nothing is read while nothing was committed since the secret was read last. */
export const readDataRoute =
  (answers: SharedAnswers) =>
  async (call: DataCall): Promise<Result> => {
    const place = findPlace(call)
    if (place === undefined) return undefined
    const epoch = call.records.epoch()
    const key = `${place.ref.id} ${call.input.version} ${call.input.path.endsWith('/')}`
    const known = answers.current(key, epoch, call.now)
    if (known !== undefined) return data(known)
    const found = await readContent(call, 'data', place)
    if ('instead' in found) return found.instead
    const { secret, content, metadata, until } = found
    return data(
      answers.of(key, [secret, content], { epoch, until }, () => ({
        data: content.data,
        metadata,
      })),
    )
  }

/** `GET subkeys/<path>` */
export const readSubkeysRoute = async (call: SubkeysCall): Promise<Result> => {
  const place = findPlace(call)
  if (place === undefined) return undefined
  const found = await readContent(call, 'subkeys', place)
  if ('instead' in found) return found.instead
  const { content, metadata } = found
  const shown = content.data === null ? null : subkeys(content.data, call.input.depth)
  return data({ subkeys: shown, metadata })
}
