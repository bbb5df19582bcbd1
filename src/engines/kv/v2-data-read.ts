import type { Reader } from '../../engine/records.ts'
import { failed } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { JsonObject } from '../../std/json.ts'
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
  readonly metadata: Readonly<Record<string, unknown>>
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
  if (isGone(times, call.now)) return { metadata, content: 'gone' }
  return { metadata, content: (await readVersion(reader, call, secret, version)) ?? 'lost' }
}

/**
 * The version that a call reads. Data of a version never changes, so metadata and data need not come from one snapshot; only
 * when the data is gone is everything read again as a whole.
 */
const readFound = async (call: DataCall | SubkeysCall): Promise<FoundVersion | undefined> => {
  const place = findPlace(call)
  if (place === undefined) return undefined
  const found = await findVersion(call.records, call, place)
  if (found?.content !== 'lost') return found
  return call.records.transact((tx) => findVersion(tx, call, place))
}

const answer = async (
  call: DataCall | SubkeysCall,
  name: 'data' | 'subkeys',
  show: (data: JsonObject | null) => JsonObject | null,
): Promise<Result> => {
  const found = await readFound(call)
  if (found === undefined) return undefined
  const { content, metadata } = found
  if (content === 'gone') return data({ [name]: null, metadata }, { status: 404 })
  // The reference finds the metadata of `a/`, which is that of `a`, but no data (recorded: http/path-spelling 2).
  if (content === 'lost' || call.input.path.endsWith('/')) {
    throw failed('could not find version data')
  }
  return data({ [name]: show(content.data), metadata })
}

/** `GET data/<path>` */
export const readDataRoute = (call: DataCall): Promise<Result> =>
  answer(call, 'data', (content) => content)

/** `GET subkeys/<path>` */
export const readSubkeysRoute = (call: SubkeysCall): Promise<Result> =>
  answer(call, 'subkeys', (content) =>
    content === null ? null : subkeys(content, call.input.depth),
  )
