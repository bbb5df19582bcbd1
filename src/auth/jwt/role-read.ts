import type { Json } from '../../std/json.ts'
import { parseJson } from '../../std/json.ts'
import type { Call } from '../../engine/call.ts'
import type { ListResult, Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { PageInput } from '../../engine/sorted-names.ts'
import { sortedNames } from '../../engine/sorted-names.ts'
import { shownTokenFields } from '../shared/token-fields.ts'
import type { RoleRecord } from './records.ts'
import { roleRef, roles } from './records.ts'
import type { RoleCall } from './role-fields.ts'

const shownClaims = (text: string | null): Json => (text === null ? null : parseJson(text))

const shownRole = (role: RoleRecord): Readonly<Record<string, unknown>> => ({
  ...shownTokenFields(role.token),
  role_type: role.roleType,
  bound_audiences: role.boundAudiences,
  bound_subject: role.boundSubject,
  bound_claims: shownClaims(role.boundClaims),
  bound_claims_type: role.boundClaimsType,
  user_claim: role.userClaim,
  user_claim_json_pointer: role.userClaimJsonPointer,
  groups_claim: role.groupsClaim,
  claim_mappings: role.claimMappings === null ? null : Object.fromEntries(role.claimMappings),
  oidc_scopes: role.oidcScopes,
  allowed_redirect_uris: role.allowedRedirectUris,
  callback_mode: role.callbackMode,
  ...(role.pollIntervalSeconds === undefined ? {} : { poll_interval: role.pollIntervalSeconds }),
  oauth2_metadata: role.oauth2Metadata,
  verbose_oidc_logging: role.verboseOidcLogging,
  max_age: role.maxAgeSeconds,
  expiration_leeway: role.expirationLeewaySeconds,
  not_before_leeway: role.notBeforeLeewaySeconds,
  clock_skew_leeway: role.clockSkewLeewaySeconds,
  token_policies_template_claims: role.tokenPoliciesTemplateClaims,
  oidc_disable_confirmation: role.oidcDisableConfirmation,
})

/** Every field of a role; undefined when there is none. */
export const readRole = async (call: RoleCall): Promise<Result> => {
  const role = await call.records.get(roleRef(call, call.input.name))
  return role === undefined ? undefined : data(shownRole(role))
}

/** Deletes a role; nothing happens when there is none. */
export const deleteRole = async (call: RoleCall): Promise<Result> => {
  await call.records.transact(async (tx) => tx.delete(roleRef(call, call.input.name)))
  return undefined
}

/** Names of the roles, in pages if asked for. */
export const listRoles = (call: Call<PageInput>): Promise<ListResult> =>
  sortedNames(
    call.records,
    roles.under(call.namespace.number, call.mount.key),
    ({ name }) => name,
    call.input,
  )
