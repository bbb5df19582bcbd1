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
import { LayeredRules } from './layered-rules.ts'
import type { Rules } from './rule-table.ts'
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
  readonly #rules: Rules

  constructor(rules: Rules, validUntil: number) {
    this.#rules = rules
    this.validUntil = validUntil
  }

  decide(request: AclRequest): Decision {
    const { verb } = request
    if (verb === 'help') return HELP
    const rule = this.#rules.find(bare(request.path), verb === 'list' || verb === 'scan')
    if (rule === undefined) return refuse('no-rule', 0)
    if (verb === 'header') return refuse('no-capability', rule.mask)
    const decision = judge(rule, request, verb)
    return decision.allowed && request.sudoPath && !decision.sudo
      ? refuse('no-sudo', rule.mask)
      : decision
  }

  capabilities(path: string): readonly string[] {
    return sortedWords(this.#rules.find(bare(path), true)?.mask ?? 0)
  }

  allowsKey(path: string): boolean {
    const verb = path.endsWith('/') ? 'list' : 'read'
    return this.decide({ verb, path, sudoPath: false }).allowed
  }

  touches(mountPath: string): boolean {
    return this.#rules.touches(mountPath)
  }

  resultant(): ResultantAcl {
    return resultantOf(this.#rules.rules)
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

/** Rules that are being put together, by kind and text. */
class TableBuilder {
  validUntil = Infinity
  readonly #builders: Record<Pattern['kind'], Map<string, RuleBuilder>> = {
    exact: new Map(),
    prefix: new Map(),
    segments: new Map(),
  }

  /** Adds a block, unless it has expired or its pattern has no value for the subject. */
  add(rule: ParsedRule, input: CompiledInput, subject: TemplateSubject): void {
    if (rule.expiration !== undefined) {
      if (rule.expiration <= subject.now) return
      this.validUntil = Math.min(this.validUntil, rule.expiration)
    }
    if (rule.parts !== undefined) {
      this.validUntil = Math.min(this.validUntil, rendersSameUntil(rule.parts, subject.now))
    }
    const pattern = patternOf(rule, input, subject)
    if (pattern === undefined) return
    const text = (input.namespacePath ?? '') + pattern.text
    const builders = this.#builders[pattern.kind]
    let builder = builders.get(text)
    if (builder === undefined) {
      builder = new RuleBuilder(pattern.kind === 'prefix' ? `${text}*` : text)
      builders.set(text, builder)
    }
    builder.add(rule, input.name)
  }

  /** Whether a pattern of these is in the table, too. */
  overlaps({ rules }: RuleTable): boolean {
    return (['exact', 'prefix', 'segments'] as const).some((kind) => {
      for (const text of this.#builders[kind].keys()) if (rules[kind].has(text)) return true
      return false
    })
  }

  build(): RuleTable {
    const { exact, prefix, segments } = this.#builders
    return new RuleTable({
      exact: built(exact),
      prefix: built(prefix),
      segments: built(segments),
    })
  }
}

/** The blocks of some policies that read the same for everybody: those without templates. */
export interface SharedRules {
  readonly table: RuleTable
  /** Unix ms from which on they must be compiled anew. */
  readonly validUntil: number
}

/** Compiles what all holders of the policies share; `now` in Unix ms. */
export const compileShared = (policies: readonly CompiledInput[], now: number): SharedRules => {
  const builder = new TableBuilder()
  for (const input of policies) {
    for (const rule of input.policy.rules) {
      if (rule.kind !== 'template') builder.add(rule, input, { now })
    }
  }
  return { table: builder.build(), validUntil: builder.validUntil }
}

/**
 * What the policies together allow the subject. The order of the inputs is the order of merging: sorted names, each
 * once. Blocks that have expired at `subject.now` and templates without a value are left out. The policy `root` is not
 * known here: its holder gets rootAcl. `shared`: what was compiled of the same policies for everybody; only the templates are then
 * compiled, unless one of them comes to mean a pattern that is written elsewhere, too.
 */
export const compileAcl = (
  policies: readonly CompiledInput[],
  subject: TemplateSubject,
  shared?: SharedRules,
): Acl => {
  const own = new TableBuilder()
  for (const input of policies) {
    for (const rule of input.policy.rules) {
      if (shared === undefined || rule.kind === 'template') own.add(rule, input, subject)
    }
  }
  if (shared === undefined) return new PolicyAcl(own.build(), own.validUntil)
  if (own.overlaps(shared.table)) return compileAcl(policies, subject)
  const validUntil = Math.min(own.validUntil, shared.validUntil)
  return new PolicyAcl(new LayeredRules(shared.table, own.build()), validUntil)
}
