import { invalid, Refusal } from '../../engine/refusal.ts'
import type { Json } from '../../std/json.ts'
import type { Claims } from './claims.ts'
import { goText } from './claims.ts'
import { isJsonObject, member } from '../../std/json-object.ts'

/** A piece of a template: text, or the way to a claim. */
type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'claim'; readonly path: readonly string[] }

const ACTION = /\{\{(-(?=\s))?([\s\S]*?)((?<=\s)-)?\}\}/g
const FIELD = /^(?:\.[\p{L}_][\p{L}\p{Nd}_]*)+$/u
const INDEX = /^index\s+\.((?:\s+"(?:[^"\\\n]|\\.)*")+)$/
const STRING = /"(?:[^"\\\n]|\\.)*"/g

const pathOf = (action: string): readonly string[] | undefined => {
  if (FIELD.test(action)) return action.slice(1).split('.')
  const keys = INDEX.exec(action)?.[1]
  if (keys === undefined) return undefined
  try {
    return [...keys.matchAll(STRING)].map(([quoted]) => JSON.parse(quoted) as string)
  } catch {
    // An escape that JSON does not have.
    return undefined
  }
}

/** Throws the text of what cannot be read. */
const parse = (template: string): readonly Piece[] => {
  const pieces: Piece[] = []
  let from = 0
  let trimNext = false
  const text = (end: number, trim: boolean): void => {
    let part = template.slice(from, end)
    if (part.includes('{{')) throw invalid(`unclosed action in policy template "${template}"`)
    if (trimNext) part = part.trimStart()
    if (trim) part = part.trimEnd()
    if (part !== '') pieces.push({ kind: 'text', text: part })
  }
  for (const match of template.matchAll(ACTION)) {
    const [whole, trimBefore, body = '', trimAfter] = match
    text(match.index, trimBefore !== undefined)
    const path = pathOf(body.trim())
    if (path === undefined) {
      throw invalid(
        `unsupported action "${body.trim()}" in policy template "${template}": only .claim, .claim.member and index . "claim" can be used`,
      )
    }
    pieces.push({ kind: 'claim', path })
    from = match.index + whole.length
    trimNext = trimAfter !== undefined
  }
  text(template.length, false)
  return pieces
}

/** Refuses (400) policies that are no templates Signet can render; the reference would only fail at the login. */
export const checkPolicyTemplates = (policies: readonly string[]): void => {
  for (const policy of policies) parse(policy)
}

const valueAt = (claims: Claims, path: readonly string[]): Json => {
  let value: Json = claims
  for (const name of path) {
    const next: Json | undefined = isJsonObject(value) ? member(value, name) : undefined
    if (next === undefined) {
      throw new Refusal(
        'failed',
        `error rendering policy template: map has no entry for key "${name}"`,
      )
    }
    value = next
  }
  return value
}

/** Policies with the claims filled in, empty ones left out. Throws a Refusal (500 as in the reference) for a missing claim. */
export const renderPolicies = (policies: readonly string[], claims: Claims): readonly string[] =>
  policies
    .map((policy) =>
      parse(policy)
        .map((piece) => (piece.kind === 'text' ? piece.text : goText(valueAt(claims, piece.path))))
        .join('')
        .trim(),
    )
    .filter((policy) => policy !== '')
