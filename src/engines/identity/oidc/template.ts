import { DurationError, parseVaultNanoseconds } from '../../../std/go-duration.ts'
import { stringifyJson } from '../../../std/json.ts'

/** Who a template is rendered for; what it does not name need not be loaded (see `templateNeeds`). */
export interface TemplateSubject {
  /** ms */
  readonly now: number
  /** Absent: there is no entity, as in tokens that a client gets for itself. */
  readonly entity?: TemplateEntity
}

export interface TemplateEntity {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  /** Direct groups, then inherited ones. */
  readonly groups: readonly { readonly id: string; readonly name: string }[]
  /** By mount accessor. */
  readonly aliases: ReadonlyMap<string, TemplateAlias>
}

export interface TemplateAlias {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly customMetadata: Readonly<Record<string, string>>
}

/** A template that cannot be rendered; the texts are those of identity.md 9.2. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

const NO_VALUE = 'no value could be found for one of the template directives'

const NO_ALIAS: TemplateAlias = { id: '', name: '', metadata: {}, customMetadata: {} }

/** Splits at the first `.`; the second half is undefined without one. */
const split = (text: string): readonly [string, string | undefined] => {
  const dot = text.indexOf('.')
  return dot === -1 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)]
}

const after = (text: string, prefix: string): string | undefined =>
  text.startsWith(prefix) ? text.slice(prefix.length) : undefined

const entry = (map: Readonly<Record<string, string>>, key: string): string =>
  stringifyJson(Object.hasOwn(map, key) ? map[key]! : '')

/** A duration as the reference reads it here, with its words for a text that ends in `d` and is no number of days. */
const shiftOf = (operand: string): bigint => {
  try {
    if (operand.endsWith('d') && !/^[+-]?\d+d$/.test(operand)) {
      const days = stringifyJson(operand.slice(0, -1))
      throw new DurationError(`strconv.ParseInt: parsing ${days}: invalid syntax`)
    }
    return parseVaultNanoseconds(operand)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    throw new TemplateError(`invalid duration: ${error.message}`)
  }
}

const timeValue = (text: string, now: number): string => {
  const [selector, rest] = split(text)
  if (selector !== 'now') throw new TemplateError(`invalid time selector "${selector}"`)
  if (rest === undefined) return String(Math.floor(now / 1000))
  const [operator, operand] = split(rest)
  if (operand === undefined) throw new TemplateError('missing time operand')
  if (operator !== 'plus' && operator !== 'minus') {
    throw new TemplateError(`invalid time operator "${operator}"`)
  }
  const shift = shiftOf(operand)
  const nanoseconds = BigInt(Math.floor(now)) * 1_000_000n + (operator === 'plus' ? shift : -shift)
  // Rounded down also before 1970, as seconds of a Unix time are.
  return String((nanoseconds - (((nanoseconds % SECOND) + SECOND) % SECOND)) / SECOND)
}

const SECOND = 1_000_000_000n

const aliasValue = (text: string, { aliases }: TemplateEntity): string => {
  const [accessor, selector] = split(text)
  if (selector === undefined) throw new TemplateError('invalid alias selector')
  const alias = aliases.get(accessor) ?? NO_ALIAS
  if (selector === 'id' || selector === 'name') return stringifyJson(alias[selector])
  if (selector === 'metadata') return stringifyJson(alias.metadata)
  if (selector === 'custom_metadata') return stringifyJson(alias.customMetadata)
  const key = after(selector, 'metadata.')
  if (key !== undefined) return entry(alias.metadata, key)
  const customKey = after(selector, 'custom_metadata.')
  if (customKey !== undefined) return entry(alias.customMetadata, customKey)
  throw new TemplateError(NO_VALUE)
}

const entityValue = (text: string, entity: TemplateEntity | undefined): string => {
  if (entity === undefined) {
    throw new TemplateError('string contains entity template directives but no entity was provided')
  }
  const listed = (list: readonly string[]): string =>
    list.length === 0 ? 'null' : stringifyJson(list)
  if (text === 'id' || text === 'name') return stringifyJson(entity[text])
  if (text === 'metadata') return stringifyJson(entity.metadata)
  if (text === 'groups.ids') return listed(entity.groups.map(({ id }) => id))
  if (text === 'groups.names') return listed(entity.groups.map(({ name }) => name))
  const key = after(text, 'metadata.')
  if (key !== undefined) return entry(entity.metadata, key)
  const alias = after(text, 'aliases.')
  if (alias !== undefined) return aliasValue(alias, entity)
  throw new TemplateError(NO_VALUE)
}

/** JSON of what stands between the braces. `identity.groups.*` never has a value here: no template that names it is kept. */
const valueOf = (directive: string, { entity, now }: TemplateSubject): string => {
  const entityText = after(directive, 'identity.entity.')
  if (entityText !== undefined) return entityValue(entityText, entity)
  if (directive.startsWith('identity.groups.')) {
    throw new TemplateError(
      'string contains groups template directives but no groups were provided',
    )
  }
  const timeText = after(directive, 'time.')
  if (timeText !== undefined) return timeValue(timeText, now)
  throw new TemplateError(NO_VALUE)
}

/** A later piece of a template cut at `{{`: the directive and the text behind it; undefined when the braces do not pair up. */
const pieceOf = (piece: string): readonly [directive: string, rest: string] | undefined => {
  const halves = piece.split('}}')
  return halves.length === 2 ? [halves[0]!.trim(), halves[1]!] : undefined
}

/** Puts JSON values into a template (identity.md 9.1, 9.2, mode JSON). Throws TemplateError for the first fault from the left. */
export const renderTemplate = (template: string, subject: TemplateSubject): string => {
  const unbalanced = (): TemplateError => new TemplateError('unbalanced templating characters')
  const [first = '', ...later] = template.split('{{')
  if (first.includes('}}')) throw unbalanced()
  let text = first
  for (const piece of later) {
    const found = pieceOf(piece)
    if (found === undefined) throw unbalanced()
    text += valueOf(found[0], subject) + found[1]
  }
  return text
}

/** What templates read of an entity, so that it can be loaded first. */
export interface TemplateNeeds {
  readonly groups: boolean
  /** Mount accessors whose alias is read. */
  readonly accessors: ReadonlySet<string>
}

/** What must be loaded before these templates can be rendered. */
export const templateNeeds = (templates: readonly string[]): TemplateNeeds => {
  const accessors = new Set<string>()
  let groups = false
  for (const template of templates) {
    for (const piece of template.split('{{').slice(1)) {
      const directive = pieceOf(piece)?.[0] ?? ''
      groups ||= directive.startsWith('identity.entity.groups.')
      const alias = after(directive, 'identity.entity.aliases.')
      if (alias !== undefined) accessors.add(split(alias)[0])
    }
  }
  return { groups, accessors }
}
