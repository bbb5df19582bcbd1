import type { JsonObject } from '../std/json.ts'
import type { AclRule, ParameterMap } from './acl-rule.ts'
import { resultantWords } from './capability.ts'
import type { RulesByKind } from './rule-table.ts'

/** The data of sys/internal/ui/resultant-acl; patterns with segment wildcards are not shown, as recorded. */
export type ResultantAcl =
  | { readonly root: true }
  | { readonly root: false; readonly exact_paths: JsonObject; readonly glob_paths: JsonObject }

const tableOf = (parameters: ParameterMap): JsonObject =>
  Object.fromEntries(parameters) as JsonObject

const show = (rule: AclRule): JsonObject => ({
  capabilities: resultantWords(rule.mask),
  ...(rule.minWrappingTtl > 0 && { min_wrapping_ttl: Math.trunc(rule.minWrappingTtl) }),
  ...(rule.maxWrappingTtl > 0 && { max_wrapping_ttl: Math.trunc(rule.maxWrappingTtl) }),
  ...(rule.allowed && rule.allowed.size > 0 && { allowed_parameters: tableOf(rule.allowed) }),
  ...(rule.denied && rule.denied.size > 0 && { denied_parameters: tableOf(rule.denied) }),
  ...(rule.required.length > 0 && { required_parameters: rule.required }),
})

const showAll = (rules: ReadonlyMap<string, AclRule>): JsonObject =>
  Object.fromEntries([...rules].map(([text, rule]) => [text, show(rule)]))

/** What a UI is told of an ACL that is not root's. */
export const resultantOf = (rules: RulesByKind): ResultantAcl => ({
  root: false,
  exact_paths: showAll(rules.exact),
  glob_paths: showAll(rules.prefix),
})
