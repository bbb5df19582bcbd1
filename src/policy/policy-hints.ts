import type { Hint } from '../engine/refusal.ts'
import type { ParameterValue, ParsedPolicy, ParsedRule } from './parsed-policy.ts'
import type { Directive } from './template.ts'
import { directivesOf } from './template.ts'

/** An auth method, as far as templates name it. */
export interface AuthMountName {
  /** `auth_userpass_4f3c1a2b` */
  readonly accessor: string
  /** `auth/userpass/` */
  readonly path: string
}

/** Every directive with a placeholder for what its author fills in. */
const KNOWN: readonly string[] = [
  'identity.entity.id',
  'identity.entity.name',
  'identity.entity.metadata.<key>',
  'identity.entity.aliases.<mount accessor>.id',
  'identity.entity.aliases.<mount accessor>.name',
  'identity.entity.aliases.<mount accessor>.metadata.<key>',
  'identity.entity.aliases.<mount accessor>.custom_metadata.<key>',
  'identity.groups.ids.<group id>.id',
  'identity.groups.ids.<group id>.name',
  'identity.groups.ids.<group id>.metadata.<key>',
  'identity.groups.names.<group name>.id',
  'identity.groups.names.<group name>.name',
  'identity.groups.names.<group name>.metadata.<key>',
  'time.now',
  'time.now.plus.<duration>',
  'time.now.minus.<duration>',
]

/** Letters that must be added, dropped or replaced to turn one text into the other; both are short. */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/** Longer texts than this are no misspelling of anything. */
const LONGEST_COMPARED = 200

/** Segments that are placeholders take whatever the author wrote. */
const distance = (written: readonly string[], known: readonly string[]): number => {
  if (written.length !== known.length) return Infinity
  return known.reduce(
    (sum, part, i) => sum + (part.startsWith('<') ? 0 : editDistance(written[i]!, part)),
    0,
  )
}

const nearest = (text: string): string | undefined => {
  if (text.length > LONGEST_COMPARED) return undefined
  const written = text.split('.')
  let best: { readonly known: string; readonly edits: number } | undefined
  for (const known of KNOWN) {
    const edits = distance(written, known.split('.'))
    if (edits <= 4 && edits < (best?.edits ?? Infinity)) best = { known, edits }
  }
  return best?.known
}

/** `identity.groups.names.` and more than a name and a selector behind it: the name was cut at its first dot. */
const GROUP_NAME = 'identity.groups.names.'
const SELECTOR = /\.(id|name|metadata\.[^.]+)$/

const unknownHint = (text: string): Hint => {
  if (text.startsWith(GROUP_NAME) && SELECTOR.test(text)) {
    return {
      code: 'template-group-dot',
      text: `{{${text}}} never has a value: a group whose name holds a dot can only be named by its id, as identity.groups.ids.<group id>`,
    }
  }
  const known = nearest(text)
  const advice = known === undefined ? '' : `; did you mean ${known}?`
  return {
    code: 'template-unknown-directive',
    text: `{{${text}}} is no template directive, so this path never matches anything${advice}`,
  }
}

const sameMount = (written: string, { path }: AuthMountName): boolean =>
  `auth/${written}/` === path || written === path || `${written}/` === path

/** What accessors of auth methods look like. */
const ACCESSOR = /^auth_[\w-]+_[0-9a-f]{8}$/

const isAccessor = (accessor: string, authMounts: readonly AuthMountName[] | undefined): boolean =>
  authMounts === undefined
    ? ACCESSOR.test(accessor)
    : authMounts.some((mount) => mount.accessor === accessor)

const aliasHint = (
  accessor: string,
  authMounts: readonly AuthMountName[] | undefined,
): readonly Hint[] => {
  if (isAccessor(accessor, authMounts)) return []
  const mount = authMounts?.find((candidate) => sameMount(accessor, candidate))
  const advice =
    mount === undefined
      ? `, as in auth_userpass_4f3c1a2b; ${JSON.stringify(accessor)} is none (sys/auth lists them)`
      : `: ${mount.accessor} is the one of ${mount.path}`
  const text = `identity.entity.aliases takes the accessor of an auth method${advice}`
  return [{ code: 'template-alias-accessor', text }]
}

const directiveHint = (
  directive: Directive,
  authMounts: readonly AuthMountName[] | undefined,
): readonly Hint[] => {
  if (directive.kind === 'unknown') return [unknownHint(directive.text)]
  return directive.kind === 'alias' ? aliasHint(directive.accessor, authMounts) : []
}

/** What a hint about a directive would be about. */
const subjectOf = (directive: Directive): string | undefined => {
  if (directive.kind === 'unknown') return `directive ${directive.text}`
  return directive.kind === 'alias' ? `alias ${directive.accessor}` : undefined
}

const holdsNumber = (value: ParameterValue): boolean =>
  typeof value === 'number' ||
  (typeof value === 'object' && Object.values(value).some((inner) => holdsNumber(inner)))

/** Numbers in parameter lists match nothing: a denied number is not denied, an allowed one not allowed. */
const numberHints = ({ pattern, allowed, denied }: ParsedRule): readonly Hint[] =>
  [...(allowed ?? []), ...(denied ?? [])].flatMap(([name, values]) =>
    values.some(holdsNumber)
      ? [
          {
            code: 'policy-number-parameter',
            text: `path ${JSON.stringify(pattern)}: the numbers listed for ${JSON.stringify(name)} match no request; only texts and booleans are compared`,
          },
        ]
      : [],
  )

/** More of one policy's hints help nobody. */
const MOST = 20

/**
 * What the author of a policy should know and the reference does not say: directives that never have a value, aliases
 * named by something that is no accessor, numbers that are compared with nothing. Each text once. Without the auth
 * methods, accessors are judged by their looks and none is named.
 */
export const policyHints = (
  policy: ParsedPolicy,
  authMounts?: readonly AuthMountName[],
): readonly Hint[] => {
  const seen = new Set<string>()
  const hints: Hint[] = []
  // What was said once is not worked out again: a long policy may repeat one mistake many times.
  for (const directive of directivesOf(policy)) {
    const subject = subjectOf(directive)
    if (subject === undefined || seen.has(subject) || hints.length >= MOST) continue
    seen.add(subject)
    hints.push(...directiveHint(directive, authMounts))
  }
  for (const rule of policy.rules)
    if (hints.length < MOST) hints.push(...numberHints(rule).slice(0, MOST - hints.length))
  return hints
}
