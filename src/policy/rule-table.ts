import { Buffer } from 'node:buffer'
import { compareBytes } from '../std/json.ts'
import type { AclRule } from './acl-rule.ts'
import { BIT } from './capability.ts'
import type { Pattern } from './pattern.ts'

/** A pattern with wildcards that matches, with what tells which of several decides. */
export interface Candidate {
  readonly rule: AclRule
  /** The text before the first wildcard is this long. */
  readonly literal: number
  readonly endsOpen: boolean
  readonly plusSegments: number
  /** Without a trailing `*`. */
  readonly text: string
  readonly bytes: number
}

interface SegmentPattern extends Candidate {
  readonly segments: readonly string[]
}

interface PrefixPattern extends Candidate {
  /** The longest other prefix pattern that this one's text begins with; -1 = none. */
  readonly parent: number
}

const segmentPattern = (pattern: string, rule: AclRule): SegmentPattern => {
  const endsOpen = pattern.endsWith('*')
  const text = endsOpen ? pattern.slice(0, -1) : pattern
  const segments = text.split('/')
  return {
    rule,
    literal: pattern.indexOf('+'),
    endsOpen,
    plusSegments: segments.filter((segment) => segment === '+').length,
    text,
    bytes: Buffer.byteLength(text),
    segments,
  }
}

const matches = (pattern: SegmentPattern, path: readonly string[]): boolean => {
  const { segments, endsOpen } = pattern
  if (endsOpen ? path.length < segments.length : path.length !== segments.length) return false
  const last = segments.length - 1
  return segments.every((segment, i) => {
    if (segment === '+') return true
    const given = path[i]!
    return endsOpen && i === last ? given.startsWith(segment) : given === segment
  })
}

/** Whether `a` goes before `b` where both match, and they are not the same (spec/auth.md 3.5, the five differences in their order). */
export const wins = (a: Candidate, b: Candidate): boolean => {
  if (a.literal !== b.literal) return a.literal > b.literal
  if (a.endsOpen !== b.endsOpen) return !a.endsOpen
  if (a.plusSegments !== b.plusSegments) return a.plusSegments < b.plusSegments
  if (a.bytes !== b.bytes) return a.bytes > b.bytes
  return compareBytes(a.text, b.text) > 0
}

const compareUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const sortPrefixes = (rules: ReadonlyMap<string, AclRule>): readonly PrefixPattern[] => {
  const sorted: PrefixPattern[] = []
  for (const text of [...rules.keys()].sort(compareUnits)) {
    let parent = sorted.length - 1
    while (parent >= 0 && !text.startsWith(sorted[parent]!.text)) parent = sorted[parent]!.parent
    sorted.push({
      rule: rules.get(text)!,
      literal: text.length,
      endsOpen: true,
      plusSegments: 0,
      text,
      bytes: Buffer.byteLength(text),
      parent,
    })
  }
  return sorted
}

/** The rules of each kind by text: prefix patterns without their `*`, those with segment wildcards as written. */
export type RulesByKind = Readonly<Record<Pattern['kind'], ReadonlyMap<string, AclRule>>>

/** Whether a rule allows anything at all. */
export const grants = (rule: AclRule | undefined): boolean =>
  rule !== undefined && rule.mask !== 0 && (rule.mask & BIT.deny) === 0

/** The rules of an ACL. */
export interface Rules {
  readonly rules: RulesByKind
  /** The one rule that decides; undefined when none matches. `listing`: also without the trailing `/`. */
  find(path: string, listing: boolean): AclRule | undefined
  /** Whether a rule that is no `deny` grants something on a mount's path (with its trailing `/`) or below it. */
  touches(mountPath: string): boolean
}

/** A path of a list also counts without its trailing `/`: that path, if it is one. */
export const barePath = (path: string, listing: boolean): string | undefined =>
  listing && path.endsWith('/') ? path.slice(0, -1) : undefined

/**
 * The rules of an ACL by pattern, and which one decides about a path (spec/auth.md 3.5). A look-up costs one hash, a
 * binary search among the prefix patterns and a glance at each pattern with segment wildcards; it never visits all
 * exact or prefix patterns.
 */
export class RuleTable implements Rules {
  readonly rules: RulesByKind
  readonly #prefixes: readonly PrefixPattern[]
  readonly #segments: readonly SegmentPattern[]

  constructor(rules: RulesByKind) {
    this.rules = rules
    this.#prefixes = sortPrefixes(rules.prefix)
    this.#segments = Array.from(rules.segments, ([pattern, rule]) => segmentPattern(pattern, rule))
  }

  find(path: string, listing: boolean): AclRule | undefined {
    const bare = barePath(path, listing)
    const { exact } = this.rules
    return (
      exact.get(path) ??
      (bare === undefined ? undefined : exact.get(bare)) ??
      this.findOpen(path)?.rule ??
      (bare === undefined ? undefined : this.findOpen(bare)?.rule)
    )
  }

  touches(mountPath: string): boolean {
    return grants(this.find(mountPath, true)) || this.touchesBelow(mountPath)
  }

  /**
   * Whether a pattern that lies at or below a mount's path grants something. Visits the patterns one by one: for the lists of
   * mounts, not for every request.
   */
  touchesBelow(mountPath: string): boolean {
    for (const rules of [this.rules.exact, this.rules.prefix])
      for (const [text, rule] of rules) if (text.startsWith(mountPath) && grants(rule)) return true
    const mount = mountPath.slice(0, -1).split('/')
    return this.#segments.some(
      ({ segments, rule }) =>
        segments.length > mount.length &&
        mount.every((part, i) => segments[i] === '+' || segments[i] === part) &&
        grants(rule),
    )
  }

  /** The pattern with wildcards that decides about a path; undefined when none matches. */
  findOpen(path: string): Candidate | undefined {
    let best: Candidate | undefined = this.#longestPrefix(path)
    if (this.#segments.length > 0) {
      const parts = path.split('/')
      for (const pattern of this.#segments)
        if (matches(pattern, parts) && (best === undefined || wins(pattern, best))) best = pattern
    }
    return best
  }

  #longestPrefix(path: string): PrefixPattern | undefined {
    // Every prefix of the path sorts before it, and everything between the two begins with that prefix: so the
    // longest one is the nearest pattern below the path or one that this pattern begins with.
    let low = 0
    let high = this.#prefixes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#prefixes[middle]!.text <= path) low = middle + 1
      else high = middle
    }
    let at = low - 1
    while (at >= 0 && !path.startsWith(this.#prefixes[at]!.text)) at = this.#prefixes[at]!.parent
    return this.#prefixes[at]
  }
}
