import type { Hint } from '../../engine/refusal.ts'

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
