import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import { tokenFields, twinFields } from '../shared/token-fields.ts'

/** The parameters of a role (spec/auth.md 6.4). */
export const roleFields = {
  name: field.lowerString({ default: '', description: 'Name of the role; case does not matter' }),
  role_type: field.string({ description: 'jwt or oidc (the default)' }),
  bound_audiences: field.commaList({ description: 'Audiences of which a token must name one' }),
  bound_subject: field.string({ description: 'The subject a token must have' }),
  bound_claims: field.map({ description: 'Claims a token must have, each with one of its values' }),
  bound_claims_type: field.string({
    description:
      'string (the default): bound claims are compared; glob: `*` in them matches anything',
  }),
  user_claim: field.string({ description: 'Claim that names the user' }),
  user_claim_json_pointer: field.bool({
    description: 'Read user_claim as a JSON pointer when it begins with /',
  }),
  groups_claim: field.string({
    description: 'Claim with the names of the groups; a JSON pointer when it begins with /',
  }),
  claim_mappings: field.keyValues({ description: 'Claims copied to metadata: claim to key' }),
  oidc_scopes: field.commaList({ description: 'Scopes asked for beside openid' }),
  allowed_redirect_uris: field.commaList({ description: 'Where a browser may come back to' }),
  callback_mode: field.string({ description: 'client (the default), direct or device' }),
  poll_interval: field.duration({ description: 'Pause between polls in direct and device mode' }),
  oauth2_metadata: field.commaList({
    description: 'Provider tokens kept as metadata: access_token, id_token, refresh_token',
  }),
  verbose_oidc_logging: field.bool({ description: 'Log what the provider answers' }),
  max_age: field.duration({ description: 'Oldest login at the provider that is taken' }),
  expiration_leeway: field.signedDuration({
    description: 'Lifetime of a token without exp; 0 = 150 s, negative = none',
  }),
  not_before_leeway: field.signedDuration({
    description:
      'How long before exp a token without nbf and iat begins; 0 = 150 s, negative = none',
  }),
  clock_skew_leeway: field.signedDuration({
    description: 'Tolerance in all times of a token; 0 = 60 s, negative = none',
  }),
  token_policies_template_claims: field.bool({
    description: 'token_policies are templates over the claims',
  }),
  oidc_disable_confirmation: field.bool({ description: 'No confirmation page in direct mode' }),
  ...tokenFields,
  ...twinFields('policies', 'num_uses', 'ttl', 'max_ttl', 'period', 'bound_cidrs'),
}

/** A request about one role. */
export type RoleCall = Call<InputOf<typeof roleFields>>
