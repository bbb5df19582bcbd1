import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { ConfigCall } from './config-fields.ts'
import { discover } from './discovery.ts'
import { discoveryTrust } from './key-sources.ts'
import { libraryTexts } from './library-texts.ts'
import type { Outbound } from './outbound.ts'
import { OutboundFailure } from './outbound.ts'
import type { ConfigRecord } from './records.ts'
import { configRef } from './records.ts'

/** Why the provider cannot be used now; undefined when it can, or there is none. */
const providerFault = async (
  config: ConfigRecord,
  outbound: Outbound,
): Promise<string | undefined> => {
  if (config.oidcDiscoveryUrl === '') return undefined
  try {
    await discover(outbound, config.oidcDiscoveryUrl, discoveryTrust(config))
    return undefined
  } catch (error) {
    if (!(error instanceof OutboundFailure)) throw error
    return libraryTexts.discovery(error.message)
  }
}

/** The configuration without its secret; undefined when there is none. A provider is asked whether it answers. */
export const readConfig = async (call: ConfigCall, outbound: Outbound): Promise<Result> => {
  const config = await call.records.get(configRef(call))
  if (config === undefined) return undefined
  const fault = await providerFault(config, outbound)
  if (fault !== undefined) call.warn(`failed to construct JWK validator: ${fault}`)
  return data({
    bound_issuer: config.boundIssuer,
    default_role: config.defaultRole,
    jwks_ca_pem: config.jwksCaPem,
    jwks_url: config.jwksUrl,
    jwt_supported_algs: config.jwtSupportedAlgs,
    jwt_validation_pubkeys: config.jwtValidationPubkeys,
    namespace_in_state: config.namespaceInState,
    oidc_client_id: config.oidcClientId,
    oidc_discovery_ca_pem: config.oidcDiscoveryCaPem,
    oidc_discovery_url: config.oidcDiscoveryUrl,
    oidc_response_mode: config.oidcResponseMode,
    oidc_response_types: config.oidcResponseTypes,
    override_allowed_server_names: config.overrideAllowedServerNames,
    provider_config: {},
    status: fault === undefined ? 'valid' : 'invalid',
  })
}
