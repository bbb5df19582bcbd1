import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Result } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { stringifyOrdered } from '../../../std/json.ts'
import { ALGORITHM_NAMES } from './algorithms.ts'
import type { OidcDeps } from './deps.ts'
import { providerIssuer } from './issuer.ts'
import { jwksText, keysWhere } from './jwks.ts'
import { findClient } from './clients.ts'
import { findKey } from './keys.ts'
import { findProvider } from './providers.ts'
import type { KeyRecord, ProviderRecord } from './records.ts'
import { OPENID } from './scopes.ts'
import { discovery, nothingBelow } from './well-known.ts'

type ProviderCall = Call<{ readonly name: string }>

const fields = { name: field.string({ default: '', description: 'Name of the provider' }) }

const discover = async (call: ProviderCall, deps: OidcDeps): Promise<Result> => {
  const provider = await findProvider(call.records, call, call.input.name)
  if (provider === undefined) return undefined
  const issuer = providerIssuer(call, deps, provider)
  return discovery(
    stringifyOrdered([
      ['issuer', issuer],
      ['jwks_uri', `${issuer}/.well-known/keys`],
      ['authorization_endpoint', `${issuer.replace('/v1/', '/ui/vault/')}/authorize`],
      ['token_endpoint', `${issuer}/token`],
      ['userinfo_endpoint', `${issuer}/userinfo`],
      ['request_parameter_supported', false],
      ['request_uri_parameter_supported', false],
      ['id_token_signing_alg_values_supported', ALGORITHM_NAMES],
      ['response_types_supported', ['code']],
      ['scopes_supported', [...provider.scopes, OPENID]],
      ['claims_supported', []],
      ['subject_types_supported', ['public']],
      ['grant_types_supported', ['authorization_code']],
      [
        'token_endpoint_auth_methods_supported',
        ['none', 'client_secret_basic', 'client_secret_post'],
      ],
      ['code_challenge_methods_supported', ['S256', 'plain']],
    ]),
  )
}

/** The keys that a provider's clients use: those of all clients, or of the allowed ones. */
const providerKeys = async (
  call: ProviderCall,
  provider: ProviderRecord,
): Promise<readonly KeyRecord[]> => {
  if (provider.allowedClientIds.includes('*')) return keysWhere(call, ({ clients }) => clients > 0)
  const names = new Set<string>()
  for (const clientId of provider.allowedClientIds) {
    const client = await findClient(call.records, call, clientId)
    if (client !== undefined) names.add(client.key)
  }
  const keys = await Promise.all([...names].map((name) => findKey(call.records, call, name)))
  return keys.filter((key) => key !== undefined)
}

const publish = async (call: ProviderCall): Promise<Result> => {
  const provider = await findProvider(call.records, call, call.input.name)
  if (provider === undefined) return undefined
  return raw(200, jwksText(await providerKeys(call, provider), call.now))
}

/** Discovery and keys of a provider, for its clients (identity.md 5.9). */
export const providerDiscoveryRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider/:name/.well-known/openid-configuration',
    summary: 'Discovery of an OIDC provider',
    fields,
    public: true,
    verbs: { read: (call) => discover(call, deps) },
  }),
  route({
    path: 'oidc/provider/:name/.well-known/keys',
    summary: 'Public keys of an OIDC provider',
    fields,
    public: true,
    verbs: { read: (call) => publish(call) },
  }),
  nothingBelow('oidc/provider/:name/.well-known'),
]
