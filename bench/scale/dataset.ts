/** How large a data set is: all of it follows from the number of entities. */
export interface Sizes {
  readonly entities: number
  readonly groups: number
  /** The part of the groups that have members, in the order of ids: 1 for all. */
  readonly filled: number
  /** Members of group 0. */
  readonly largeGroup: number
  /** Aliases of one more entity, each on a mount of its own. */
  readonly aliases: number
  /** Live tokens, each of an entity. */
  readonly tokens: number
  /** Children of one token, and tokens of one mount. */
  readonly children: number
}

/** Sizes in the proportions of a million entities with 100,000 groups. */
export const sizesOf = (entities: number, mostAliases: number, filled = 1): Sizes => ({
  entities,
  groups: Math.ceil(entities / 10),
  filled,
  largeGroup: Math.ceil(entities / 5),
  aliases: Math.min(mostAliases, Math.ceil(entities / 100)),
  tokens: entities,
  children: Math.ceil(entities / 10),
})

/** Groups of each entity. */
const GROUPS_EACH = 5

/** Policies that groups and entities have in turn. */
export const POLICIES = 20

const KINDS = { entity: 1, group: 2, login: 3, token: 4, spread: 5 } as const
type Kind = keyof typeof KINDS

/** A number of 32 bits, different for each `i` below 2^32 (Wellons' lowbias32), so that ids are in no order of their making. */
const mixed = (i: number): number => {
  let x = i >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

const hex = (x: number): string => x.toString(16).padStart(8, '0')

/** The id of the thing number `i` of a kind: nothing has to be remembered to name it again. */
export const idOf = (kind: Kind, i: number): string => {
  const [a, b, c, d] = [0, 1, 2, 3].map((part) =>
    hex(part === 0 ? mixed(i) : mixed(mixed(i) ^ (part * 16 + KINDS[kind]))),
  ) as [string, string, string, string]
  return `${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`
}

/** The numbers below `count` in the order of their ids. */
const inOrderOfIds = function* (count: number): Iterable<number> {
  // 32 bits of the id before 21 of the number: exact in a float.
  const width = 2 ** 21
  const order = new Float64Array(count)
  for (let i = 0; i < count; i++) order[i] = mixed(i) * width + i
  order.sort()
  for (const place of order) yield place % width
}

/** Alias names: for logins with a JWT, and for tokens made by `auth/token/create`. */
export const loginName = (i: number): string => `person-${i}@example.com`
export const tokenName = (i: number): string => `t-${i}`

/** The mount of alias number `i` of the entity that has many. */
export const spreadMount = (i: number): string => `spread-${i}`
export const SPREAD_ENTITY = idOf('spread', 0)
export const spreadName = (i: number): string => `spread-${i}`

/** Members of a group, as numbers of entities. */
const membersOf = function* (
  { entities, groups, largeGroup }: Sizes,
  group: number,
): Iterable<number> {
  if (group === 0) {
    for (let i = 0; i < largeGroup; i++) yield i
    return
  }
  const ring = groups - 1
  const stride = Math.floor(ring / GROUPS_EACH)
  for (let k = 0; k < GROUPS_EACH; k++) {
    const first = (((group - 1 - k * stride) % ring) + ring) % ring
    for (let i = first; i < entities; i += ring) {
      // Those have the large group in this one's stead.
      if (k > 0 || i >= largeGroup) yield i
    }
  }
}

/** The lines of an import (docs/import-export.md) in the order of an export: stages of which each rests on those before. */
export const stages = (
  sizes: Sizes,
): readonly { readonly name: string; readonly lines: () => Iterable<object> }[] => [
  {
    name: 'groups',
    *lines() {
      for (const i of inOrderOfIds(sizes.groups)) {
        const policies = [`group-${i % POLICIES}`]
        yield { type: 'group', id: idOf('group', i), name: `group-${i}`, policies }
      }
    },
  },
  {
    name: 'entities',
    *lines() {
      yield { type: 'entity', id: SPREAD_ENTITY, name: 'spread' }
      for (const i of inOrderOfIds(sizes.entities)) {
        yield {
          type: 'entity',
          id: idOf('entity', i),
          name: `person-${i}`,
          policies: [`person-${i % POLICIES}`],
          metadata: { team: `team-${i % 99}`, office: 'Utrecht', cost_center: '4711' },
        }
      }
    },
  },
  {
    name: 'aliases',
    *lines() {
      for (const i of inOrderOfIds(sizes.entities)) {
        const alias = { type: 'entity-alias', canonical_id: idOf('entity', i) }
        yield { ...alias, id: idOf('login', i), name: loginName(i), mount_path: 'auth/jwt/' }
        yield { ...alias, id: idOf('token', i), name: tokenName(i), mount_path: 'auth/token/' }
      }
      for (let i = 0; i < sizes.aliases; i++) {
        yield {
          type: 'entity-alias',
          canonical_id: SPREAD_ENTITY,
          id: idOf('spread', i + 1),
          name: spreadName(i),
          mount_path: `auth/${spreadMount(i)}/`,
        }
      }
    },
  },
  {
    name: 'memberships',
    *lines() {
      let left = Math.ceil(sizes.groups * sizes.filled)
      for (const group of inOrderOfIds(sizes.groups)) {
        if (--left < 0) return
        const groupId = idOf('group', group)
        for (const i of membersOf(sizes, group)) {
          yield { type: 'membership', group_id: groupId, entity_id: idOf('entity', i) }
        }
      }
    },
  },
]
