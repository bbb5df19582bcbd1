import type { Subject, SubjectAlias, SubjectGroup } from '../engine/identity-port.ts'
import { DurationError, parseVaultNanoseconds } from '../std/go-duration.ts'
import type { ParsedPolicy } from './parsed-policy.ts'
import { PolicyError } from './policy-error.ts'

/** A piece of a pattern: text as it is, or a directive. Plain data. */
export type PatternPart = string | Directive

/** What stands between `{{` and `}}`. `unknown` never has a value; it is kept for hints. */
export type Directive =
  | { readonly kind: 'entity'; readonly field: EntityField; readonly key?: string }
  | {
      readonly kind: 'alias'
      readonly accessor: string
      readonly field: AliasField
      readonly key?: string
    }
  | {
      readonly kind: 'group'
      readonly by: 'ids' | 'names'
      readonly group: string
      readonly field: EntityField
      readonly key?: string
    }
  /** `time.now`, shifted by so many ms. */
  | { readonly kind: 'time'; readonly shiftMs: number }
  | { readonly kind: 'unknown'; readonly text: string }

export type EntityField = 'id' | 'name' | 'metadata'
export type AliasField = EntityField | 'custom_metadata'

/** Who a pattern is rendered for. */
export interface TemplateSubject {
  /** Unix time in ms. */
  readonly now: number
  /** Absent: the token has no entity, or it is gone. */
  readonly entity?: Pick<Subject, 'id' | 'name' | 'metadata' | 'groups'> | undefined
  /** The entity's aliases by mount accessor: those that `templateNeeds` names. */
  readonly aliases?: ReadonlyMap<string, SubjectAlias> | undefined
}

/** What values may hold: the two flags of a policy (spec/auth.md 3.8). */
export interface TemplateFlags {
  readonly allowWildcards: boolean
  readonly allowSlashes: boolean
}

/** What the rendering of a policy reads, so that it can be loaded first. */
export interface TemplateNeeds {
  readonly entity: boolean
  readonly groups: boolean
  /** The result changes with the clock: `Acl.validUntil` says when. */
  readonly time: boolean
  /** Mount accessors whose alias is read. */
  readonly aliases: ReadonlySet<string>
}

/** `id`, `name` or `<map>.<key>`, the key being the whole rest; undefined when it is none of them. */
const member = <F extends string>(
  text: string,
  maps: readonly F[],
): { readonly field: F | 'id' | 'name'; readonly key?: string } | undefined => {
  if (text === 'id' || text === 'name') return { field: text }
  const map = maps.find((name) => text.startsWith(`${name}.`))
  return map === undefined ? undefined : { field: map, key: text.slice(map.length + 1) }
}

/** Splits at the first `.`; the second half is undefined without one. */
const split = (text: string): readonly [string, string | undefined] => {
  const dot = text.indexOf('.')
  return dot === -1 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)]
}

const after = (text: string, prefix: string): string | undefined =>
  text.startsWith(prefix) ? text.slice(prefix.length) : undefined

const shift = (operation: string, operand: string | undefined): number | undefined => {
  if (operation !== 'plus' && operation !== 'minus') return undefined
  if (operand === undefined || operand === '') return undefined
  try {
    const ms = Number(parseVaultNanoseconds(operand) / 1_000_000n)
    return operation === 'plus' ? ms : -ms
  } catch (error) {
    if (error instanceof DurationError) return undefined
    throw error
  }
}

const parseTime = (text: string): Directive | undefined => {
  if (text === 'now') return { kind: 'time', shiftMs: 0 }
  const rest = after(text, 'now.')
  if (rest === undefined) return undefined
  const shiftMs = shift(...split(rest))
  return shiftMs === undefined ? undefined : { kind: 'time', shiftMs }
}

const parseEntity = (text: string): Directive | undefined => {
  const rest = after(text, 'aliases.')
  if (rest === undefined) {
    const found = member(text, ['metadata'])
    return found && { kind: 'entity', ...found }
  }
  const [accessor, selector] = split(rest)
  const found = member(selector ?? '', ['metadata', 'custom_metadata'])
  return found && { kind: 'alias', accessor, ...found }
}

const parseGroup = (by: 'ids' | 'names', text: string): Directive | undefined => {
  const [group, selector] = split(text)
  const found = member(selector ?? '', ['metadata'])
  return found && { kind: 'group', by, group, ...found }
}

const parseDirective = (text: string): Directive => {
  const entity = after(text, 'identity.entity.')
  const ids = after(text, 'identity.groups.ids.')
  const names = after(text, 'identity.groups.names.')
  const time = after(text, 'time.')
  const directive =
    (entity !== undefined && parseEntity(entity)) ||
    (ids !== undefined && parseGroup('ids', ids)) ||
    (names !== undefined && parseGroup('names', names)) ||
    (time !== undefined && parseTime(time))
  return directive || { kind: 'unknown', text }
}

/**
 * The parts of a pattern, undefined when it holds no directive. Throws PolicyError when the braces do not pair up
 * (identity.md 9.1: each `{{` is followed by exactly one `}}`, and none stands before the first).
 */
export const parsePattern = (pattern: string): readonly PatternPart[] | undefined => {
  const [first = '', ...later] = pattern.split('{{')
  const unbalanced = (): PolicyError =>
    new PolicyError('failed to validate policy templating: unbalanced templating characters')
  if (first.includes('}}')) throw unbalanced()
  if (later.length === 0) return undefined
  const parts: PatternPart[] = first === '' ? [] : [first]
  for (const piece of later) {
    const halves = piece.split('}}')
    if (halves.length !== 2) throw unbalanced()
    parts.push(parseDirective(halves[0]!.trim()))
    if (halves[1] !== '') parts.push(halves[1]!)
  }
  return parts
}

const fieldOf = (
  holder: Pick<SubjectGroup, 'id' | 'name' | 'metadata'> & Partial<SubjectAlias>,
  directive: { readonly field: AliasField; readonly key?: string },
): string | undefined => {
  if (directive.field === 'id' || directive.field === 'name') {
    const value = holder[directive.field]
    return value === '' ? undefined : value
  }
  const map = directive.field === 'metadata' ? holder.metadata : holder.customMetadata
  const key = directive.key ?? ''
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}

const valueOf = (directive: Directive, subject: TemplateSubject): string | undefined => {
  switch (directive.kind) {
    case 'unknown':
      return undefined
    case 'time':
      return String(Math.floor((subject.now + directive.shiftMs) / 1000))
    case 'entity':
      return subject.entity && fieldOf(subject.entity, directive)
    case 'alias': {
      const alias = subject.entity && subject.aliases?.get(directive.accessor)
      return alias && fieldOf(alias, directive)
    }
    case 'group': {
      const group = subject.entity?.groups.find(
        ({ id, name }) => (directive.by === 'ids' ? id : name) === directive.group,
      )
      return group && fieldOf(group, directive)
    }
  }
}

const WILDCARDS = /[*+]/

/**
 * The pattern with its values put in; undefined when one has no value or holds a character that its policy's flags do
 * not allow: the block then counts for nothing.
 */
export const renderPattern = (
  parts: readonly PatternPart[],
  subject: TemplateSubject,
  flags: TemplateFlags,
): string | undefined => {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part
      continue
    }
    const value = valueOf(part, subject)
    if (value === undefined) return undefined
    if (!flags.allowWildcards && WILDCARDS.test(value)) return undefined
    if (!flags.allowSlashes && value.includes('/')) return undefined
    text += value
  }
  return text
}

/** The directives of a policy, in the order of its text. */
export const directivesOf = function* (policy: ParsedPolicy): Generator<Directive> {
  for (const { parts } of policy.rules)
    for (const part of parts ?? []) if (typeof part !== 'string') yield part
}

/** What must be loaded before the policies can be compiled for somebody. */
export const templateNeeds = (policies: Iterable<ParsedPolicy>): TemplateNeeds => {
  const aliases = new Set<string>()
  const kinds = new Set<Directive['kind']>()
  for (const policy of policies) {
    if (!policy.templated) continue
    for (const directive of directivesOf(policy)) {
      kinds.add(directive.kind)
      if (directive.kind === 'alias') aliases.add(directive.accessor)
    }
  }
  return {
    entity: kinds.has('entity') || kinds.has('group') || kinds.has('alias'),
    groups: kinds.has('group'),
    time: kinds.has('time'),
    aliases,
  }
}

/** The ms from which on a rendered pattern may read differently; infinite unless it names the time. */
export const rendersSameUntil = (parts: readonly PatternPart[], now: number): number => {
  let until = Infinity
  for (const part of parts) {
    if (typeof part === 'string' || part.kind !== 'time') continue
    const next = (Math.floor((now + part.shiftMs) / 1000) + 1) * 1000 - part.shiftMs
    until = Math.min(until, next)
  }
  return until
}
