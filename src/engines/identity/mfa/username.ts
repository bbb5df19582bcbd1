import type { Call } from '../../../engine/call.ts'
import type { Reader } from '../../../engine/records.ts'
import { aliasOf, subject } from '../subject.ts'
import { FactorFault } from './answers.ts'

type Place = Pick<Call, 'names' | 'namespace' | 'now'>

const fault = (text: string): FactorFault => new FactorFault(text)

const NO_VALUE = 'no value could be found for one of the template directives'

const after = (text: string, prefix: string): string | undefined =>
  text.startsWith(prefix) ? text.slice(prefix.length) : undefined

interface Named {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly customMetadata?: Readonly<Record<string, string>>
}

/** `id`, `name`, `metadata.<key>` or `custom_metadata.<key>` of something. */
const member = (text: string, { id, name, metadata, customMetadata = {} }: Named): string => {
  if (text === 'id') return id
  if (text === 'name') return name
  const [map, key] =
    after(text, 'custom_metadata.') === undefined
      ? [metadata, after(text, 'metadata.')]
      : [customMetadata, after(text, 'custom_metadata.')]
  if (key === undefined || !Object.hasOwn(map, key)) throw fault(NO_VALUE)
  return map[key]!
}

/** Splits at the first `.`. */
const split = (text: string): readonly [string, string] => {
  const dot = text.indexOf('.')
  return dot === -1 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)]
}

/**
 * The name of an entity's user at a provider: the method's template with values put in as they are (identity.md 9.2, mode ACL), or
 * the entity's name. Throws a FactorFault for a template that has no value for this entity.
 */
export const usernameOf = async (
  reader: Reader,
  { names, namespace, now }: Place,
  template: string,
  entityId: string,
): Promise<string> => {
  const entity = await subject(reader, names, namespace, entityId, now)
  if (entity === undefined) throw fault('the entity is gone')
  if (template === '') return entity.name
  const valueOf = async (directive: string): Promise<string> => {
    const own = after(directive, 'identity.entity.')
    const alias = after(directive, 'identity.entity.aliases.')
    const groups =
      after(directive, 'identity.groups.ids.') ?? after(directive, 'identity.groups.names.')
    if (alias !== undefined) {
      const [accessor, rest] = split(alias)
      const found = await aliasOf(reader, names, namespace, entityId, accessor)
      if (found === undefined) throw fault('alias not found')
      return member(rest, found)
    }
    if (own !== undefined) return member(own, entity)
    if (groups === undefined) throw fault(NO_VALUE)
    const [key, rest] = split(groups)
    const by = directive.startsWith('identity.groups.ids.') ? 'id' : 'name'
    const group = entity.groups.find((one) => one[by] === key)
    if (group === undefined) throw fault(`entity is not a member of group ${JSON.stringify(key)}`)
    return member(rest, group)
  }
  const [first = '', ...later] = template.split('{{')
  let text = first
  for (const piece of later) {
    const halves = piece.split('}}')
    if (halves.length !== 2) throw fault('unbalanced templating characters')
    const value = await valueOf(halves[0]!.trim())
    if (value === '') throw fault(NO_VALUE)
    text += value + halves[1]!
  }
  if (first.includes('}}')) throw fault('unbalanced templating characters')
  return text
}
