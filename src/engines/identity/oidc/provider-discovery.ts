import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Result } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { Member } from '../../../std/json.ts'
import { stringifyOrdered } from '../../../std/json.ts'
import { ALGORITHM_NAMES } from './algorithms.ts'
import { findClient } from './clients.ts'
import type { OidcDeps } from './deps.ts'
import { DEVICE_GRANT } from './device-grant.ts'
import { providerIssuer, signInPage } from './issuer.ts'
import { jwksText, keysWhere } from './jwks.ts'
import { findKey } from './keys.ts'
import { OFFLINE_ACCESS } from './offline-session.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord, KeyRecord, ProviderRecord } from './records.ts'
import { oidcClients } from './records.ts'
import { OPENID } from './scopes.ts'
import { discovery, nothingBelow } from './well-known.ts'

const SECRET_METHODS = ['client_secret_basic', 'client_secret_post']
const AUTH_METHODS = ['none', ...SECRET_METHODS]

type ProviderCall = Call<{ readonly name: string }>

const fields = { name: field.string({ default: '', description: 'Name of the provider' }) }

/** The clients that may use a provider. */
const providerClients = async (
  call: ProviderCall,
  { allowedClientIds }: ProviderRecord,
): Promise<readonly ClientRecord[]> => {
  if (!allowedClientIds.includes('*')) {
    const found = await Promise.all(
      allowedClientIds.map((id) => findClient(call.records, call, id)),
    )
    return found.filter((client) => client !== undefined)
  }
  const clients: ClientRecord[] = []
  for await (const page of call.records.scan(oidcClients.under(call.namespace.number))) {
    clients.push(...page.map(({ value }) => value))
  }
  return clients
}

/** What a provider can that the reference cannot: listed only where a client uses it, so that others see what they know. */
const beyond = (
  clients: readonly ClientRecord[],
  issuer: string,
): {
  readonly scopes: readonly string[]
  readonly grants: readonly string[]
  readonly endpoints: readonly Member[]
} => {
  const refresh = clients.some(({ allowRefresh }) => allowRefresh)
  const device = clients.some(({ deviceCode }) => deviceCode)
  const logout = clients.some(({ postLogoutRedirectUris }) => postLogoutRedirectUris.length > 0)
  const endpoints: Member[] = []
  if (refresh || device || logout) {
    endpoints.push(
      ['revocation_endpoint', `${issuer}/revoke`],
      ['revocation_endpoint_auth_methods_supported', AUTH_METHODS],
      ['introspection_endpoint', `${issuer}/introspect`],
      ['introspection_endpoint_auth_methods_supported', SECRET_METHODS],
    )
  }
  if (device) endpoints.push(['device_authorization_endpoint', `${issuer}/device_authorization`])
  if (logout) endpoints.push(['end_session_endpoint', `${issuer}/logout`])
  return {
    scopes: refresh ? [OFFLINE_ACCESS] : [],
    grants: [...(refresh ? ['refresh_token'] : []), ...(device ? [DEVICE_GRANT] : [])],
    endpoints,
  }
}

const discover = async (call: ProviderCall, deps: OidcDeps): Promise<Result> => {
  const provider = await findProvider(call.records, call, call.input.name)
  if (provider === undefined) return undefined
  const issuer = providerIssuer(call, deps, provider)
  const more = beyond(await providerClients(call, provider), issuer)
  return discovery(
    stringifyOrdered([
      ['issuer', issuer],
      ['jwks_uri', `${issuer}/.well-known/keys`],
      ['authorization_endpoint', signInPage(issuer)],
      ['token_endpoint', `${issuer}/token`],
      ['userinfo_endpoint', `${issuer}/userinfo`],
      ['request_parameter_supported', false],
      ['request_uri_parameter_supported', false],
      ['id_token_signing_alg_values_supported', ALGORITHM_NAMES],
      ['response_types_supported', ['code']],
      ['scopes_supported', [...provider.scopes, OPENID, ...more.scopes]],
      ['claims_supported', []],
      ['subject_types_supported', ['public']],
      ['grant_types_supported', ['authorization_code', ...more.grants]],
      ['token_endpoint_auth_methods_supported', AUTH_METHODS],
      ['code_challenge_methods_supported', ['S256', 'plain']],
      ...more.endpoints,
    ]),
  )
}

/** The keys that a provider's clients use: those of all clients, or of the allowed ones. */
const providerKeys = async (
  call: ProviderCall,
  provider: ProviderRecord,
): Promise<readonly KeyRecord[]> => {
  if (provider.allowedClientIds.includes('*')) return keysWhere(call, ({ clients }) => clients > 0)
  const clients = await providerClients(call, provider)
  const names = new Set(clients.map(({ key }) => key))
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
