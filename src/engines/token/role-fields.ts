import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'

/** As `field.string`, but null stays apart: its refusal is recorded. */
const tokenType = {
  ...field.string({
    description: 'service, batch, default-service (the default) or default-batch',
  }),
  coerce: (value: Parameters<ReturnType<typeof field.string>['coerce']>[0]) =>
    value === null ? undefined : field.string().coerce(value),
}

/** Fields of a token role (spec/auth.md 2.10). */
export const roleFields = {
  role_name: field.string({ default: '', description: 'Name of the role' }),
  allowed_policies: field.commaList({ description: 'Policies that tokens may have' }),
  allowed_policies_glob: field.commaList({
    description: 'Globs of policies that tokens may have when they ask for them',
  }),
  disallowed_policies: field.commaList({ description: 'Policies that no token may have' }),
  disallowed_policies_glob: field.commaList({
    description: 'Globs of policies that no token may have',
  }),
  orphan: field.bool({ description: 'Whether tokens outlive the one that makes them' }),
  renewable: field.bool({ description: 'Whether tokens can be renewed (the default)' }),
  path_suffix: field.string({ description: "Added to the tokens' creation path" }),
  allowed_entity_aliases: field.commaList({
    description: 'Names and globs of entity aliases that a token may be made for',
  }),
  token_bound_cidrs: field.commaList({
    description: 'Addresses and blocks from which tokens can be used; empty = any',
  }),
  token_explicit_max_ttl: field.duration({
    description: 'End of a token that no renewal moves; 0 = none',
  }),
  token_period: field.duration({
    description: 'Each renewal begins this lifetime anew; 0 = not periodic',
  }),
  token_no_default_policy: field.bool({
    description: 'Leave the policy `default` out of tokens whose policies the role decides',
  }),
  token_num_uses: field.int({ description: 'Requests a token is good for; 0 = unlimited' }),
  token_type: tokenType,
  bound_cidrs: field.commaList({ description: 'Use token_bound_cidrs', deprecated: true }),
  explicit_max_ttl: field.duration({
    description: 'Use token_explicit_max_ttl',
    deprecated: true,
  }),
  period: field.duration({ description: 'Use token_period', deprecated: true }),
}

export type RoleInput = InputOf<typeof roleFields>
