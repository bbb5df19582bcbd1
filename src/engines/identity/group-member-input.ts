import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'

/** Who is meant by a change of a group's members. */
export const memberFields = {
  entity_ids: field.commaList({ default: [], description: 'Entities, by id' }),
  entity_names: field.commaList({ default: [], description: 'Entities, by name' }),
  group_ids: field.commaList({ default: [], description: 'Groups, by id' }),
  group_names: field.commaList({ default: [], description: 'Groups, by name' }),
  cas: field.int({
    description: 'Only if this is the modify_index of the group; without it, whatever it is',
  }),
}

/** What is said of members that are added. */
export const addFields = {
  ...memberFields,
  ttl: field.duration({ description: 'How long the members are in the group, 1s to 8760h' }),
  expire_time: field.string({
    description:
      'When that ends instead: RFC 3339 or seconds since 1970; never, or nothing, for no end',
  }),
  reason: field.string({ description: 'Why they are added, at most 512 bytes' }),
}

const MOST_TTL_SECONDS = 8760 * 3600
const MOST_REASON_BYTES = 512

/** The members of a request, each once, as they were sent. */
export interface MembersAsked {
  readonly entityIds: readonly string[]
  readonly entityNames: readonly string[]
  readonly groupIds: readonly string[]
  readonly groupNames: readonly string[]
}

/** What a request says of the members it adds. */
export interface Terms {
  /** ms; undefined: says nothing, so a new member has no end and one who is in the group keeps the end there is; null: no end. */
  readonly until: number | null | undefined
  /** undefined: says nothing. */
  readonly reason: string | undefined
}

const once = (list: readonly string[]): string[] => [
  ...new Set(list.map((text) => text.trim()).filter((text) => text !== '')),
]

/** The members of a request. Throws a Refusal for none, which never means all, and for too many. */
export const membersAsked = ({ input }: Call<InputOf<typeof memberFields>>): MembersAsked => {
  const asked = {
    entityIds: once(input.entity_ids),
    entityNames: once(input.entity_names),
    groupIds: once(input.group_ids),
    groupNames: once(input.group_names),
  }
  const count = Object.values(asked).reduce((sum, list) => sum + list.length, 0)
  if (count === 0) {
    throw invalid('name at least one member: entity_ids, entity_names, group_ids or group_names')
  }
  if (count > limits.membersAtOnce) {
    throw invalid(`at most ${limits.membersAtOnce} members a request`)
  }
  return asked
}

/** End and reason of a request. Throws Refusals for what is no time to come or too long. */
export const termsOf = (call: Call<InputOf<typeof addFields>>): Terms => {
  const { reason } = call.input
  if (reason !== undefined && Buffer.byteLength(reason) > MOST_REASON_BYTES) {
    throw invalid(`reason must be at most ${MOST_REASON_BYTES} bytes`)
  }
  return { until: untilOf(call), reason }
}

const untilOf = (call: Call<InputOf<typeof addFields>>): Terms['until'] => {
  const { ttl, expire_time: expireTime } = call.input
  if (ttl !== undefined && expireTime !== undefined) {
    throw invalid('send ttl or expire_time, not both')
  }
  if (ttl !== undefined) {
    if (ttl < 1 || ttl > MOST_TTL_SECONDS) throw invalid('ttl must be between 1s and 8760h')
    return call.now + ttl * 1000
  }
  if (expireTime === undefined) return undefined
  if (expireTime === '' || expireTime === 'never') return null
  const time = /^\d{1,12}$/.test(expireTime) ? Number(expireTime) * 1000 : timeOf(expireTime)
  if (time === undefined || time >= END_OF_TIME) {
    throw invalid(
      `expire_time must be a time such as 2030-01-31T17:00:00Z, seconds since 1970, or never: ${JSON.stringify(expireTime)} is not`,
    )
  }
  if (time <= call.now) throw invalid('expire_time must be in the future')
  return time
}

/** The first ms that RFC 3339 cannot write. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

const timeOf = (text: string): number | undefined => {
  const time = RFC3339.test(text) ? Date.parse(text.toUpperCase()) : NaN
  return Number.isNaN(time) ? undefined : time
}
