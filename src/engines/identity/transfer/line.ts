import { idBytes } from '../../../engine/records.ts'
import type { Metadata } from '../metadata.ts'
import { writtenTime } from '../written-time.ts'

/*
 * The lines of import and export: one JSON object each, told apart by `type`. What a line does not say is left to the server.
 * Names and ids stand side by side; a thing is named by its id, or by its name where no id is given.
 */

/** What a group line says. */
export interface GroupLine {
  readonly type: 'group'
  readonly id?: string
  readonly name?: string
  readonly group_type?: 'internal' | 'external'
  readonly policies?: readonly string[] | null
  readonly metadata?: Metadata | null
  readonly creation_time?: string
  readonly last_update_time?: string
}

/** What an entity line says. */
export interface EntityLine {
  readonly type: 'entity'
  readonly id?: string
  readonly name?: string
  readonly policies?: readonly string[] | null
  readonly metadata?: Metadata | null
  readonly disabled?: boolean
  readonly merged_entity_ids?: readonly string[] | null
  readonly creation_time?: string
  readonly last_update_time?: string
}

/** Where an account is: by path if that is said, else by accessor. */
export interface OnMount {
  readonly name: string
  readonly mount_path?: string
  readonly mount_type?: string
  readonly mount_accessor?: string
}

/** What a line about an account of an entity says. */
export interface EntityAliasLine extends OnMount {
  readonly type: 'entity-alias'
  readonly id?: string
  readonly canonical_id?: string
  readonly entity_name?: string
  readonly metadata?: Metadata | null
  readonly custom_metadata?: Metadata | null
  readonly merged_from_canonical_ids?: readonly string[] | null
  readonly last_login_day?: string
  readonly claimed_groups?: readonly string[]
  readonly creation_time?: string
  readonly last_update_time?: string
}

/** What a line about the outside name of an external group says. */
export interface GroupAliasLine extends OnMount {
  readonly type: 'group-alias'
  readonly id?: string
  readonly canonical_id?: string
  readonly group_name?: string
  readonly creation_time?: string
  readonly last_update_time?: string
}

/** What a line about something that is in a group says: an entity, or another group. */
export interface MembershipLine {
  readonly type: 'membership'
  readonly group_id?: string
  readonly group_name?: string
  readonly entity_id?: string
  readonly entity_name?: string
  readonly member_group_id?: string
  readonly member_group_name?: string
  readonly expire_time?: string | null
  readonly reason?: string
  readonly added_time?: string
  readonly added_by?: string
  readonly source?: 'api' | 'list' | 'merge'
  /** How often it is listed (a merge of entities can make it more than once), and where, and when it joined (ms). */
  readonly times?: number
  readonly position?: number
  readonly joined?: number
}

export type Line = GroupLine | EntityLine | EntityAliasLine | GroupAliasLine | MembershipLine
export type LineType = Line['type']

/** Reads a member of a line; throws a `LineFault`. */
type Reader = (value: unknown) => unknown

/** What is wrong with a line. */
export class LineFault extends Error {
  override readonly name = 'LineFault'
}

/** Names of people and groups, and of their accounts: what a 64 kB header could hold is no name. */
const NAME_BYTES = 16_384
const REASON_BYTES = 512
/** Of ids, policies or claimed groups of one line. */
const LIST_ITEMS = 10_000

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Reader = (value) => {
  if (typeof value !== 'string' || value === '') throw new LineFault('must be a text, not empty')
  if (Buffer.byteLength(value) > NAME_BYTES) throw new LineFault('is too long')
  return value
}

const anyText: Reader = (value) => {
  if (typeof value !== 'string') throw new LineFault('must be a text')
  if (Buffer.byteLength(value) > REASON_BYTES) {
    throw new LineFault(`must be at most ${REASON_BYTES} bytes`)
  }
  return value
}

const id: Reader = (value) => {
  if (typeof value !== 'string' || idBytes(value) === undefined) {
    throw new LineFault('must be an id: 36 characters, hexadecimal in lower case, 8-4-4-4-12')
  }
  return value
}

const texts: Reader = (value) => {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new LineFault('must be a list of texts')
  }
  if (value.length > LIST_ITEMS) throw new LineFault(`must have at most ${LIST_ITEMS} items`)
  return value
}

const ids: Reader = (value) => (texts(value) as readonly string[]).map(id)

const map: Reader = (value) => {
  if (!isObject(value) || Object.values(value).some((item) => typeof item !== 'string')) {
    throw new LineFault('must be an object of texts')
  }
  return value
}

const boolean: Reader = (value) => {
  if (typeof value !== 'boolean') throw new LineFault('must be true or false')
  return value
}

const count =
  (least: number, most: number): Reader =>
  (value) => {
    if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most) {
      throw new LineFault(`must be a whole number from ${least} to ${most}`)
    }
    return value
  }

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

const time: Reader = (value) => {
  const match = typeof value === 'string' ? TIME.exec(value) : null
  const parsed = match === null ? Number.NaN : Date.parse(match[0])
  if (match === null || Number.isNaN(parsed)) {
    throw new LineFault('must be a time like 2026-01-02T03:04:05Z')
  }
  // Kept as it is, nanoseconds included, where it is written as the API shows it.
  return match[1] === 'Z' ? match[0] : writtenTime(parsed)
}

const day: Reader = (value) => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) {
    throw new LineFault('must be a day like 2026-01-02')
  }
  return value
}

const oneOf =
  (...choices: readonly string[]): Reader =>
  (value) => {
    if (typeof value !== 'string' || !choices.includes(value)) {
      throw new LineFault(`must be one of ${choices.join(', ')}`)
    }
    return value
  }

const orNull =
  (reader: Reader): Reader =>
  (value) =>
    value === null ? null : reader(value)

/** A time is a whole number of ms up to the year 9999. */
const MOMENT = count(0, 253_402_300_799_999)
const times = { creation_time: time, last_update_time: time }
const onMount = { name: text, mount_path: text, mount_type: text, mount_accessor: text }

const FIELDS: Readonly<Record<LineType, Readonly<Record<string, Reader>>>> = {
  group: {
    id,
    name: text,
    group_type: oneOf('internal', 'external'),
    policies: orNull(texts),
    metadata: orNull(map),
    ...times,
  },
  entity: {
    id,
    name: text,
    policies: orNull(texts),
    metadata: orNull(map),
    disabled: boolean,
    merged_entity_ids: orNull(ids),
    ...times,
  },
  'entity-alias': {
    id,
    ...onMount,
    canonical_id: id,
    entity_name: text,
    metadata: orNull(map),
    custom_metadata: orNull(map),
    merged_from_canonical_ids: orNull(ids),
    last_login_day: day,
    claimed_groups: texts,
    ...times,
  },
  'group-alias': { id, ...onMount, canonical_id: id, group_name: text, ...times },
  membership: {
    group_id: id,
    group_name: text,
    entity_id: id,
    entity_name: text,
    member_group_id: id,
    member_group_name: text,
    expire_time: orNull(time),
    reason: anyText,
    added_time: time,
    added_by: text,
    source: oneOf('api', 'list', 'merge'),
    times: count(1, 1_000_000),
    position: MOMENT,
    joined: MOMENT,
  },
}

/** Of each of these groups of members a line must have one. */
const NEEDED: Readonly<Record<LineType, readonly (readonly string[])[]>> = {
  group: [['id', 'name']],
  entity: [['id', 'name']],
  'entity-alias': [['name'], ['mount_path', 'mount_accessor'], ['canonical_id', 'entity_name']],
  'group-alias': [['name'], ['mount_path', 'mount_accessor'], ['canonical_id', 'group_name']],
  membership: [
    ['group_id', 'group_name'],
    ['entity_id', 'entity_name', 'member_group_id', 'member_group_name'],
  ],
}

/** The order in which the lines of a portion are taken in: what others rest on comes first. */
export const LINE_ORDER = Object.keys(FIELDS) as readonly LineType[]

/**
 * A line of JSON that was parsed. Throws a LineFault that says what is wrong: an unknown type or member (a misspelt one would
 * be lost in silence), a value of another kind, nothing that names the thing.
 */
export const readLine = (parsed: unknown): Line => {
  if (!isObject(parsed)) throw new LineFault('must be an object')
  const { type } = parsed
  if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) {
    throw new LineFault(`type must be one of ${LINE_ORDER.join(', ')}`)
  }
  const fields = FIELDS[type as LineType]
  const line: Record<string, unknown> = { type }
  for (const [name, value] of Object.entries(parsed)) {
    if (name === 'type') continue
    if (!Object.hasOwn(fields, name)) {
      throw new LineFault(`${JSON.stringify(name)} is no member of a line of type ${type}`)
    }
    try {
      line[name] = fields[name]!(value)
    } catch (error) {
      if (!(error instanceof LineFault)) throw error
      throw new LineFault(`${name} ${error.message}`)
    }
  }
  for (const names of NEEDED[type as LineType]) {
    if (!names.some((name) => Object.hasOwn(line, name))) {
      throw new LineFault(`${names.join(' or ')} is missing`)
    }
  }
  return line as unknown as Line
}
