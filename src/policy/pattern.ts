import type { PatternKind } from './parsed-policy.ts'

/** A pattern ready to be matched: its text as the rule table wants it, and how. */
export interface Pattern {
  readonly text: string
  readonly kind: Exclude<PatternKind, 'template'>
}

/** A `+` right before a `*` says nothing and is refused (spec/auth.md 3.2). */
export const isForbidden = (pattern: string): boolean => pattern.includes('+*')

/** Without the one leading `/` that a pattern may have. */
export const withoutLeadingSlash = (pattern: string): string =>
  pattern.startsWith('/') ? pattern.slice(1) : pattern

/** How a pattern without leading `/` matches. A prefix loses its `*`; with segment wildcards it keeps it. */
export const classify = (pattern: string): Pattern => {
  // The test is "contains /+", so a/+b counts too, although its +b is then matched literally.
  if (pattern === '+' || pattern.includes('/+') || pattern.startsWith('+/'))
    return { text: pattern, kind: 'segments' }
  return pattern.endsWith('*')
    ? { text: pattern.slice(0, -1), kind: 'prefix' }
    : { text: pattern, kind: 'exact' }
}
