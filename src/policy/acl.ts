import type { Verb } from '../engine/route.ts'
import type { JsonObject } from '../std/json.ts'
import type { AclRule } from './acl-rule.ts'
import { RuleBuilder } from './acl-rule.ts'
import type { Capability } from './capability.ts'
import { BIT, sortedWords } from './capability.ts'
import { applyPagination } from './pagination.ts'
import type { ParameterRefusal } from './parameters.ts'
import { refuseParameters } from './parameters.ts'
import type { ParsedPolicy, ParsedRule } from './parsed-policy.ts'
import type { Pattern } from './pattern.ts'
import { classify, isForbidden, withoutLeadingSlash } from './pattern.ts'
import type { ResultantAcl } from './resultant.ts'
import { resultantOf } from './resultant.ts'
import { RuleTable } from './rule-table.ts'
import type { TemplateFlags, TemplateSubject } from './template.ts'
import { renderPattern, rendersSameUntil } from './template.ts'

/** A policy to compile. */
export interface CompiledInput extends TemplateFlags {
  readonly name: string
  readonly policy: ParsedPolicy
  /** Path of the policy's namespace: '' for root, else ending in `/`. */
  readonly namespacePath?: string
}

/** What a request wants to do, as far as policies care. */
export interface AclRequest {
  readonly verb: Verb | 'header' | 'help'
  /** Namespace path and request path without `/v1/`; lists and scans end in `/`. */
  readonly path: string
  /** Members of the body or the query, without captures of the path; absent = none. */
  readonly data?: JsonObject | undefined
  /** Seconds of the wrapping asked for; absent = none. */
  readonly wrapTtlSeconds?: number | undefined
  /** The route needs `sudo` besides (spec/auth.md 3.11). */
  readonly sudoPath: boolean
}

/** Why a request was allowed or not: for logs and tests, never for the answer. */
export type DecisionReason =
  | 'root'
  | 'help'
  | 'granted'
  | 'no-rule'
  | 'deny-rule'
  | 'no-capability'
  | 'no-sudo'
  | 'wrapping'
  | 'pagination'
  | ParameterRefusal

/** A policy that grants what was asked, and the pattern it does so by. */
export interface Granting {
  readonly policy: string
  readonly pattern: string
}

export interface Decision {
  readonly allowed: boolean
  readonly reason: DecisionReason
  /** Of the deciding rule, sorted; `["deny"]` when there is none; `["root"]`; empty for help. */
  readonly capabilities: readonly string[]
  /** Whether the deciding rule grants `sudo`. */
  readonly sudo: boolean
  /** Empty for root, help and refusals. */
  readonly granting: readonly Granting[]
  /** The `limit` that replaces what was sent with a list or scan: 0 = all; absent = as sent. */
  readonly limit?: number
  /** A list's keys are to be filtered by this template (filterKey) and `Acl.allowsKey`. */
  readonly listFilter?: string
}

/** What somebody may do: immutable, pure, shared by all requests of its holders. */
export interface Acl {
  readonly root: boolean
  /** Unix ms from which on it must be compiled anew: a block expires or a pattern names the time. Infinite otherwise. */
  readonly validUntil: number
  decide(request: AclRequest): Decision
  /** Sorted words for sys/capabilities: as for a list of the path, leading slashes left out (spec/auth.md 3.10). */
  capabilities(path: string): readonly string[]
  /** Whether a listed key stays: `list` on a path that ends in `/`, else `read`, with no parameters (spec/auth.md 3.9). */
  allowsKey(path: string): boolean
  /** Whether some rule grants something at or below a mount, so that it may be shown. */
  touches(mountPath: string): boolean
  /** The data of sys/internal/ui/resultant-acl. */
  resultant(): ResultantAcl
}

const NEEDED: Readonly<Record<Verb, Capability>> = {
  read: 'read',
  list: 'list',
  scan: 'scan',
  create: 'create',
  update: 'update',
  patch: 'patch',
  delete: 'delete',
}

const refuse = (reason: DecisionReason, mask: number): Decision => ({
  allowed: false,
  reason,
  capabilities: sortedWords(mask),
  sudo: (mask & BIT.sudo) !== 0,
  granting: [],
})

const refusesWrapping = (rule: AclRule, ttl: number | undefined): boolean => {
  const { minWrappingTtl: min, maxWrappingTtl: max } = rule
  if (min === 0 && max === 0) return false
  if (ttl === undefined) return true
  return (max > 0 && ttl > max) || (min > 0 && ttl < min)
}

const grantingOf = (rule: AclRule, bit: number): readonly Granting[] =>
  rule.grants
    .filter(({ mask }) => (mask & bit) !== 0)
    .map(({ policy }) => ({ policy, pattern: rule.pattern }))

/** What a rule says of a request for a capability, `sudo` aside. */
const judge = (rule: AclRule, request: AclRequest, verb: Verb): Decision => {
  const { mask } = rule
  if ((mask & BIT.deny) !== 0) return refuse('deny-rule', mask)
  const bit = BIT[NEEDED[verb]]
  if ((mask & bit) === 0) return refuse('no-capability', mask)
  if (refusesWrapping(rule, request.wrapTtlSeconds)) return refuse('wrapping', mask)
  const granted = {
    allowed: true,
    reason: 'granted',
    capabilities: sortedWords(mask),
    sudo: (mask & BIT.sudo) !== 0,
    granting: grantingOf(rule, bit),
  } as const
  if (verb === 'list' || verb === 'scan') {
    const limit = applyPagination(rule, request.data)
    if (limit === 'refused') return refuse('pagination', mask)
    return {
      ...granted,
      ...(limit === undefined ? {} : { limit }),
      ...(rule.listFilter === undefined ? {} : { listFilter: rule.listFilter }),
    }
  }
  if (verb === 'delete') return granted
  const refusal = refuseParameters(rule, request.data)
  return refusal === undefined ? granted : refuse(refusal, mask)
}

const HELP: Decision = {
  allowed: true,
  reason: 'help',
  capabilities: [],
  sudo: false,
  granting: [],
}

const LEADING_SLASHES = /^\/+/

const bare = (path: string): string =>
  path.startsWith('/') ? path.replace(LEADING_SLASHES, '') : path

class PolicyAcl implements Acl {
  readonly root = false
  readonly validUntil: number
  readonly #table: RuleTable

  constructor(table: RuleTable, validUntil: number) {
    this.#table = table
    this.validUntil = validUntil
  }

  decide(request: AclRequest): Decision {
    const { verb } = request
    if (verb === 'help') return HELP
    const rule = this.#table.find(bare(request.path), verb === 'list' || verb === 'scan')
    if (rule === undefined) return refuse('no-rule', 0)
    if (verb === 'header') return refuse('no-capability', rule.mask)
    const decision = judge(rule, request, verb)
    return decision.allowed && request.sudoPath && !decision.sudo
      ? refuse('no-sudo', rule.mask)
      : decision
  }

  capabilities(path: string): readonly string[] {
    return sortedWords(this.#table.find(bare(path), true)?.mask ?? 0)
  }

  allowsKey(path: string): boolean {
    const verb = path.endsWith('/') ? 'list' : 'read'
    return this.decide({ verb, path, sudoPath: false }).allowed
  }

  touches(mountPath: string): boolean {
    return this.#table.touches(mountPath)
  }

  resultant(): ResultantAcl {
    return resultantOf(this.#table.rules)
  }
}

/** Root: everything is allowed, and no parameter, wrapping or limit is looked at (spec/auth.md 3.7). */
export const rootAcl: Acl = {
  root: true,
  validUntil: Infinity,
  decide: () => ({
    allowed: true,
    reason: 'root',
    capabilities: ['root'],
    sudo: true,
    granting: [],
  }),
  capabilities: () => ['root'],
  allowsKey: () => true,
  touches: () => true,
  resultant: () => ({ root: true }),
}

const patternOf = (
  rule: ParsedRule,
  input: CompiledInput,
  subject: TemplateSubject,
): Pattern | undefined => {
  if (rule.kind !== 'template') return { text: rule.pattern, kind: rule.kind }
  const text = renderPattern(rule.parts ?? [], subject, input)
  if (text === undefined || isForbidden(text)) return undefined
  return classify(withoutLeadingSlash(text))
}

const built = (builders: ReadonlyMap<string, RuleBuilder>): ReadonlyMap<string, AclRule> =>
  new Map(Array.from(builders, ([text, builder]) => [text, builder.build()]))

/**
 * What the policies together allow the subject. The order of the inputs is the order of merging: sorted names, each
 * once. Blocks that have expired at `subject.now` and templates without a value are left out. The policy `root` is not
 * known here: its holder gets rootAcl.
 */
export const compileAcl = (policies: readonly CompiledInput[], subject: TemplateSubject): Acl => {
  const builders: Record<Pattern['kind'], Map<string, RuleBuilder>> = {
    exact: new Map(),
    prefix: new Map(),
    segments: new Map(),
  }
  let validUntil = Infinity
  for (const input of policies) {
    for (const rule of input.policy.rules) {
      if (rule.expiration !== undefined) {
        if (rule.expiration <= subject.now) continue
        validUntil = Math.min(validUntil, rule.expiration)
      }
      if (rule.parts !== undefined)
        validUntil = Math.min(validUntil, rendersSameUntil(rule.parts, subject.now))
      const pattern = patternOf(rule, input, subject)
      if (pattern === undefined) continue
      const text = (input.namespacePath ?? '') + pattern.text
      let builder = builders[pattern.kind].get(text)
      if (builder === undefined) {
        builder = new RuleBuilder(pattern.kind === 'prefix' ? `${text}*` : text)
        builders[pattern.kind].set(text, builder)
      }
      builder.add(rule, input.name)
    }
  }
  const table = new RuleTable({
    exact: built(builders.exact),
    prefix: built(builders.prefix),
    segments: built(builders.segments),
  })
  return new PolicyAcl(table, validUntil)
}
