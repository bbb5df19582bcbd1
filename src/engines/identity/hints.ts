import type { Mount } from '../../engine/call.ts'
import type { Hint } from '../../engine/refusal.ts'

/** An alias was put on a mount through which nobody logs in, so no login will ever find it; empty when all is well. */
export const mountHints = (mount: Mount): readonly Hint[] => {
  const logsIn = mount.path.startsWith('auth/') && mount.type !== 'token'
  if (logsIn) return []
  const why =
    mount.type === 'token'
      ? 'the token method makes no logins; only a token role with allowed_entity_aliases uses such an alias'
      : `${mount.path} is a secrets engine, not an auth method`
  return [
    {
      code: 'alias-mount-cannot-log-in',
      text: `no login will find this alias: ${why}; auth methods and their accessors are listed at sys/auth`,
    },
  ]
}

/** A name was given where an id is wanted; empty when nothing has that name. */
export const nameHint = (
  what: 'entity' | 'group' | 'group alias',
  name: string,
  id: string | undefined,
): readonly Hint[] =>
  id === undefined
    ? []
    : [
        {
          code: 'name-for-id',
          text: `${JSON.stringify(name)} is a name; the ${what}'s id is ${id}`,
        },
      ]

/** A mount's path was given where its accessor is wanted; empty when nothing is mounted there. */
export const pathHint = (path: string, accessor: string | undefined): readonly Hint[] =>
  accessor === undefined
    ? []
    : [
        {
          code: 'path-for-accessor',
          text: `${JSON.stringify(path)} is a mount's path; its accessor is ${accessor}`,
        },
      ]

/** A list that replaces the old one dropped some of it. */
export const evictionHint = (
  field: 'member_entity_ids' | 'member_group_ids',
  dropped: number,
): Hint => {
  const what = field === 'member_entity_ids' ? 'entity' : 'group'
  const noun = dropped === 1 ? `1 member ${what} was` : `${dropped} member ${plural[what]} were`
  return {
    code: 'members-evicted',
    text: `${noun} removed: ${field} replaces the whole list; send the ids to keep as well`,
  }
}

const plural = { entity: 'entities', group: 'groups' } as const

/** New metadata replaced the old map, of which some keys are gone. */
export const replacedHint = (keys: readonly string[]): Hint => {
  const shown = keys.slice(0, 5).map((key) => JSON.stringify(key))
  const more = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : ''
  return {
    code: 'metadata-replaced',
    text: `metadata replaces the whole map: ${shown.join(', ')}${more} removed; send the pairs to keep as well`,
  }
}

/** A group has one alias: a new one took the place of another. */
export const aliasReplacedHint = (name: string | undefined): readonly Hint[] =>
  name === undefined
    ? []
    : [
        {
          code: 'group-alias-replaced',
          text: `a group has one alias: ${JSON.stringify(name)} was removed`,
        },
      ]
