import type { Json } from '../../std/json.ts'
import { compareBytes, parseJson, stringifyJson } from '../../std/json.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Mount } from '../../engine/call.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { goDuration } from '../shared/go-duration-text.ts'
import type { TokenSettings } from '../shared/token-fields.ts'
import { readTokenFields, unsetTokenSettings } from '../shared/token-fields.ts'
import { checkBoundClaims } from './bound-claims.ts'
import { checkPolicyTemplates } from './policy-template.ts'
import type { RoleRecord } from './records.ts'
import { roleRef } from './records.ts'
import type { RoleCall } from './role-fields.ts'

const unsetRole = (name: string): RoleRecord => ({
  name,
  roleType: 'oidc',
  boundAudiences: null,
  boundSubject: '',
  boundClaims: null,
  boundClaimsType: 'string',
  userClaim: '',
  userClaimJsonPointer: false,
  groupsClaim: '',
  claimMappings: null,
  oidcScopes: null,
  allowedRedirectUris: null,
  callbackMode: 'client',
  oauth2Metadata: null,
  verboseOidcLogging: false,
  maxAgeSeconds: 0,
  expirationLeewaySeconds: 0,
  notBeforeLeewaySeconds: 0,
  clockSkewLeewaySeconds: 0,
  tokenPoliciesTemplateClaims: false,
  oidcDisableConfirmation: false,
  token: unsetTokenSettings,
})

type Input = RoleCall['input']

/** One of a few words; what is not sent goes back to the first of them, whatever the role had (recorded). */
const word = <const W extends string>(
  sent: string | undefined,
  words: readonly [W, ...W[]],
  name: string,
): W => {
  if (sent === undefined || sent === '') return words[0]
  const found = words.find((one) => one === sent)
  if (found === undefined) throw invalid(`invalid '${name}': ${sent}`)
  return found
}

const claimMappings = (
  sent: Readonly<Record<string, string>>,
): NonNullable<RoleRecord['claimMappings']> => {
  const pairs = Object.entries(sent).sort(([a], [b]) => compareBytes(a, b))
  const taken = new Set<string>()
  for (const [, key] of pairs) {
    if (key === 'role') {
      throw invalid('metadata key "role" is reserved and may not be a mapping destination')
    }
    if (taken.has(key)) throw invalid(`multiple keys are mapped to metadata key "${key}"`)
    taken.add(key)
  }
  return pairs
}

const OAUTH2_METADATA: ReadonlySet<string> = new Set(['access_token', 'id_token', 'refresh_token'])

const oauth2Metadata = (sent: readonly string[]): readonly string[] => {
  for (const name of sent) {
    if (!OAUTH2_METADATA.has(name)) throw invalid(`Unrecognized oauth2 metadata name ${name}`)
  }
  return sent
}

const storedClaims = (role: RoleRecord): Readonly<Record<string, Json>> | null =>
  role.boundClaims === null ? null : (parseJson(role.boundClaims) as Readonly<Record<string, Json>>)

const requirePeriodFits = (token: TokenSettings, mount: Mount): void => {
  const { period } = token.parameters
  if (period > mount.maxLeaseTtlSeconds) {
    throw invalid(
      `'period' of '"${goDuration(period)}"' is greater than the backend's maximum lease TTL of '"${goDuration(mount.maxLeaseTtlSeconds)}"'`,
    )
  }
}

const written = (previous: RoleRecord, input: Input, mount: Mount): RoleRecord => {
  const roleType = word(input.role_type, ['oidc', 'jwt'], 'role_type')
  const token = readTokenFields(input, previous.token).settings
  requirePeriodFits(token, mount)
  const boundClaimsType = word(input.bound_claims_type, ['string', 'glob'], 'bound_claims_type')
  const boundClaims = input.bound_claims ?? storedClaims(previous)
  if (boundClaims !== null) checkBoundClaims(boundClaims, boundClaimsType)
  const pollIntervalSeconds = input.poll_interval ?? previous.pollIntervalSeconds
  return {
    ...previous,
    roleType,
    token,
    boundClaimsType,
    boundAudiences: input.bound_audiences ?? previous.boundAudiences,
    boundSubject: input.bound_subject ?? previous.boundSubject,
    boundClaims: boundClaims === null ? null : stringifyJson(boundClaims),
    claimMappings:
      input.claim_mappings === undefined
        ? previous.claimMappings
        : claimMappings(input.claim_mappings),
    userClaim: input.user_claim ?? previous.userClaim,
    userClaimJsonPointer: input.user_claim_json_pointer ?? previous.userClaimJsonPointer,
    groupsClaim: input.groups_claim ?? previous.groupsClaim,
    oidcScopes: input.oidc_scopes ?? previous.oidcScopes,
    allowedRedirectUris: input.allowed_redirect_uris ?? previous.allowedRedirectUris,
    callbackMode: word(input.callback_mode, ['client', 'direct', 'device'], 'callback_mode'),
    ...(pollIntervalSeconds === undefined ? {} : { pollIntervalSeconds }),
    oauth2Metadata:
      input.oauth2_metadata === undefined
        ? previous.oauth2Metadata
        : oauth2Metadata(input.oauth2_metadata),
    verboseOidcLogging: input.verbose_oidc_logging ?? previous.verboseOidcLogging,
    maxAgeSeconds: input.max_age ?? previous.maxAgeSeconds,
    expirationLeewaySeconds: input.expiration_leeway ?? previous.expirationLeewaySeconds,
    notBeforeLeewaySeconds: input.not_before_leeway ?? previous.notBeforeLeewaySeconds,
    clockSkewLeewaySeconds: input.clock_skew_leeway ?? previous.clockSkewLeewaySeconds,
    tokenPoliciesTemplateClaims:
      input.token_policies_template_claims ?? previous.tokenPoliciesTemplateClaims,
    oidcDisableConfirmation: input.oidc_disable_confirmation ?? false,
  }
}

/** Refuses (400) a role that is not whole. */
const requireWhole = (role: RoleRecord): void => {
  const { parameters } = role.token
  if (role.userClaim === '') throw invalid('a user claim must be defined on the role')
  if (role.roleType === 'oidc' && (role.allowedRedirectUris ?? []).length === 0) {
    throw invalid("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.")
  }
  const bound =
    (role.boundAudiences ?? []).length > 0 ||
    role.boundSubject !== '' ||
    (role.boundClaims !== null && role.boundClaims !== '{}') ||
    parameters.boundCidrs.length > 0
  if (role.roleType === 'jwt' && !bound) {
    throw invalid('must have at least one bound constraint when creating/updating a role')
  }
  if (parameters.ttl > 0 && parameters.maxTtl > 0 && parameters.ttl > parameters.maxTtl) {
    throw invalid('ttl should not be greater than max ttl')
  }
  if (role.tokenPoliciesTemplateClaims) checkPolicyTemplates(parameters.policies)
}

const warnings = (role: RoleRecord, mount: Mount): readonly string[] => [
  ...(role.token.parameters.maxTtl > mount.maxLeaseTtlSeconds
    ? [
        "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
      ]
    : []),
  ...(role.verboseOidcLogging
    ? [
        'verbose_oidc_logging has been enabled for this role. This is not recommended in production since sensitive information may be present in OIDC responses.',
      ]
    : []),
]

/** Creates or updates a role: what was sent over what was there. 204, or 200 when there are warnings. */
export const writeRole = async (call: RoleCall): Promise<Result> => {
  const ref = roleRef(call, call.input.name)
  const role = await call.records.transact(async (tx) => {
    const previous = (await tx.get(ref)) ?? unsetRole(call.input.name)
    const next = written(previous, call.input, call.mount)
    requireWhole(next)
    tx.put(ref, next)
    return next
  })
  if (role.roleType === 'oidc') {
    call.hint(
      'no-browser-login',
      `nobody can log in with role "${role.name}" yet: logging in through a browser is not built; role_type "jwt" takes tokens`,
    )
  }
  const texts = warnings(role, call.mount)
  for (const text of texts) call.warn(text)
  return texts.length > 0 ? data(null) : undefined
}
