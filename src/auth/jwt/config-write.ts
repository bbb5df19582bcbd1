import { X509Certificate } from 'node:crypto'
import { invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { ConfigCall } from './config-fields.ts'
import { discover } from './discovery.ts'
import { discoveryTrust, fetchKeys, jwksTrust } from './key-sources.ts'
import type { Outbound } from './outbound.ts'
import { OutboundFailure } from './outbound.ts'
import type { ConfigRecord } from './records.ts'
import { configRef } from './records.ts'
import { isSupportedAlgorithm } from './registered-claims.ts'
import { keysOfPem } from './verification-keys.ts'

type NewConfig = Omit<ConfigRecord, 'namespaceInState'>

const newConfig = (call: ConfigCall): NewConfig => {
  const { input } = call
  return {
    revision: call.newId(),
    jwtValidationPubkeys: input.jwt_validation_pubkeys,
    jwksUrl: input.jwks_url,
    jwksCaPem: input.jwks_ca_pem,
    oidcDiscoveryUrl: input.oidc_discovery_url,
    oidcDiscoveryCaPem: input.oidc_discovery_ca_pem,
    oidcClientId: input.oidc_client_id,
    oidcClientSecret: input.oidc_client_secret,
    oidcResponseMode: input.oidc_response_mode,
    oidcResponseTypes: input.oidc_response_types,
    boundIssuer: input.bound_issuer,
    jwtSupportedAlgs: input.jwt_supported_algs,
    defaultRole: input.default_role,
    overrideAllowedServerNames: input.override_allowed_server_names,
  }
}

/** Refuses (400) a configuration without exactly one source of keys, or with half of a client. */
const requireOneSource = (config: NewConfig): void => {
  const sources = [
    config.jwtValidationPubkeys.length > 0,
    config.jwksUrl !== '',
    config.oidcDiscoveryUrl !== '',
  ]
  if (sources.filter(Boolean).length !== 1) {
    throw invalid(
      "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set",
    )
  }
  if ((config.oidcClientId === '') !== (config.oidcClientSecret === '')) {
    throw invalid("both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC")
  }
  if (config.oidcClientId !== '' && config.oidcDiscoveryUrl === '') {
    throw invalid("'oidc_discovery_url' must be set for OIDC")
  }
  if (config.oidcDiscoveryUrl.includes('.well-known')) {
    throw invalid("'oidc_discovery_url' contains '.well-known' component")
  }
}

const isCa = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    // Whatever is wrong with it, the answer says that the CA could not be read.
    return false
  }
}

/** What is wrong with the source of keys when asked now; undefined = it answers. */
const sourceFault = async (config: NewConfig, outbound: Outbound): Promise<string | undefined> => {
  const full = { ...config, namespaceInState: true }
  if (config.jwksUrl !== '' && config.jwksCaPem !== '' && !isCa(config.jwksCaPem)) {
    return 'error checking jwks_ca_pem'
  }
  try {
    if (config.jwksUrl !== '') await fetchKeys(outbound, config.jwksUrl, jwksTrust(full))
    if (config.oidcDiscoveryUrl !== '') {
      if (config.oidcDiscoveryCaPem !== '' && !isCa(config.oidcDiscoveryCaPem)) {
        return 'error checking oidc discovery URL'
      }
      await discover(outbound, config.oidcDiscoveryUrl, discoveryTrust(full))
    }
    return undefined
  } catch (error) {
    if (!(error instanceof OutboundFailure)) throw error
    return config.jwksUrl !== '' ? 'error checking jwks URL' : 'error checking oidc discovery URL'
  }
}

const checkPublicKeys = (pems: readonly string[]): void => {
  for (const pem of pems) {
    if (keysOfPem(pem).length === 0) {
      throw invalid('error parsing public key: data does not contain any valid public keys')
    }
  }
}

const RESPONSE_TYPES: ReadonlySet<string> = new Set(['code', 'id_token'])

const checkResponses = ({ oidcResponseTypes: types, oidcResponseMode: mode }: NewConfig): void => {
  if (!types.every((type) => RESPONSE_TYPES.has(type))) {
    throw invalid(`invalid response_types [${types.join(' ')}]. 'code' and 'id_token' are allowed`)
  }
  if (mode === 'query' && types.includes('id_token')) {
    throw invalid('query response_mode may not be used with an id_token response_type')
  }
  if (mode !== '' && mode !== 'query' && mode !== 'form_post') {
    throw invalid(`invalid response_mode: "${mode}"`)
  }
}

const checkAlgorithms = (names: readonly string[]): void => {
  const unknown = names.find((name) => !isSupportedAlgorithm(name))
  if (unknown !== undefined) {
    throw invalid(`invalid jwt_supported_algs: unsupported signing algorithm "${unknown}"`)
  }
}

/** Providers of the reference whose particular behaviour Signet does not have. */
const UNSUPPORTED_PROVIDERS: ReadonlySet<unknown> = new Set([
  'azure',
  'gsuite',
  'secureauth',
  'ibmisam',
  'kubernetes',
])

const checkProvider = (settings: Readonly<Record<string, unknown>>): void => {
  if (Object.keys(settings).length === 0) return
  const name = Object.hasOwn(settings, 'provider') ? settings['provider'] : undefined
  if (typeof name !== 'string' || name === '') {
    throw invalid("invalid provider_config: 'provider' must be the name of a provider")
  }
  if (UNSUPPORTED_PROVIDERS.has(name)) {
    throw invalid(`invalid provider_config: provider "${name}" is not supported by this server`)
  }
  throw invalid(`invalid provider_config: provider "${name}" not found in custom providers`)
}

/**
 * Replaces the configuration. Its URL is asked first, outside the commit: a fault is a 400, or a warning with
 * `skip_jwks_validation`. 204, or 200 when there are warnings.
 */
export const writeConfig = async (call: ConfigCall, outbound: Outbound): Promise<Result> => {
  const config = newConfig(call)
  requireOneSource(config)
  const fault = await sourceFault(config, outbound)
  if (fault !== undefined && !call.input.skip_jwks_validation) throw invalid(fault)
  checkPublicKeys(config.jwtValidationPubkeys)
  checkAlgorithms(config.jwtSupportedAlgs)
  checkResponses(config)
  checkProvider(call.input.provider_config)
  const ref = configRef(call)
  await call.records.transact(async (tx) => {
    const previous = await tx.get(ref)
    const namespaceInState = call.input.namespace_in_state ?? previous?.namespaceInState ?? true
    tx.put(ref, { ...config, namespaceInState })
  })
  if (fault === undefined) return undefined
  call.warn(fault)
  return data(null)
}
