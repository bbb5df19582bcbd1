import assert from 'node:assert/strict'
import type { CallerView } from '../../../engine/call.ts'
import type { Json } from '../../../std/json.ts'
import type { Store } from '../../../storage/store.ts'
import type { Answer, Harness, Sender } from '../testing.ts'
import { createHarness } from '../testing.ts'

/** A harness with one person in it. */
export interface OidcHarness extends Harness {
  readonly entityId: string
  readonly caller: CallerView
}

/** An identity engine with a person: name `ann`, metadata `team: red`. */
export const createOidcHarness = async (wrap?: (store: Store) => Store): Promise<OidcHarness> => {
  const harness = createHarness(wrap)
  const { data } = await must(harness, 'entity', { name: 'ann', metadata: { team: 'red' } })
  const entityId = data['id'] as string
  return Object.assign(harness, { entityId, caller: harness.callerOf(entityId) })
}

/** A write that succeeds. */
export const must = async (
  harness: Harness,
  path: string,
  body: Readonly<Record<string, Json>> = {},
): Promise<Answer> => {
  const answer = await harness.request('update', path, body)
  assert.ok(answer.status < 300, `${path}: ${answer.status} ${answer.error}`)
  return answer
}

/** A key of ES256 that all clients may use, and a role of it. */
export const makeRole = async (
  harness: Harness,
  key: Readonly<Record<string, Json>> = {},
  role: Readonly<Record<string, Json>> = {},
): Promise<void> => {
  await must(harness, 'oidc/key/k', { algorithm: 'ES256', allowed_client_ids: '*', ...key })
  await must(harness, 'oidc/role/r', { key: 'k', ...role })
}

/** An identity token of the harness's person by role `r`. */
export const tokenOf = async (
  harness: OidcHarness,
  caller: CallerView = harness.caller,
): Promise<string> => {
  const answer = await harness.request('read', 'oidc/token/r', {}, { caller })
  assert.equal(answer.status, 200, answer.error)
  return answer.data['token'] as string
}

/** What introspection says of a token: '' for an active one. */
export const faultOf = async (harness: Harness, token: string): Promise<string> => {
  const { data } = await harness.request('update', 'oidc/introspect', { token })
  return data['active'] === true ? '' : (data['error'] as string)
}

/** Ids of the keys that identity tokens are verified with. */
export const publishedIds = async (harness: Harness): Promise<readonly string[]> => {
  const { data } = await harness.request('read', 'oidc/.well-known/keys')
  return (data['keys'] as readonly { readonly kid: string }[]).map(({ kid }) => kid)
}

/** The JSON of one part of a token: 0 its header, 1 its claims. */
export const partOf = (token: string, index: 0 | 1): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[index]!, 'base64url').toString())

/** A client of provider `idp` and what it knows. */
export interface TestClient {
  readonly id: string
  readonly secret: string
}

export const REDIRECT = 'https://app.example/cb'

/** A client that everybody may log in to, of a key of ES256, unless told otherwise. */
export const makeClient = async (
  harness: Harness,
  name: string,
  body: Readonly<Record<string, Json>> = {},
): Promise<TestClient> => {
  await must(harness, 'oidc/key/ck', { algorithm: 'ES256', allowed_client_ids: '*' })
  await must(harness, `oidc/client/${name}`, {
    key: 'ck',
    redirect_uris: REDIRECT,
    assignments: 'allow_all',
    ...body,
  })
  const { data } = await harness.request('read', `oidc/client/${name}`)
  return { id: data['client_id'] as string, secret: (data['client_secret'] as string) ?? '' }
}

/** An authorization request of the harness's person at the default provider. */
export const authorize = (
  harness: OidcHarness,
  client: TestClient,
  body: Readonly<Record<string, Json>> = {},
  provider = 'default',
): Promise<Answer> =>
  harness.request(
    'update',
    `oidc/provider/${provider}/authorize`,
    {
      client_id: client.id,
      scope: 'openid',
      response_type: 'code',
      redirect_uri: REDIRECT,
      state: 'st',
      ...body,
    },
    { caller: harness.caller },
  )

/** A code for the client. */
export const codeFor = async (
  harness: OidcHarness,
  client: TestClient,
  body: Readonly<Record<string, Json>> = {},
  provider?: string,
): Promise<string> => {
  const answer = await authorize(harness, client, body, provider)
  assert.equal(answer.status, 200, JSON.stringify(answer.data))
  return answer.data['code'] as string
}

/** A token request with a code, secret in the body. */
export const exchange = (
  harness: Harness,
  client: TestClient,
  code: string,
  body: Readonly<Record<string, Json>> = {},
  provider = 'default',
): Promise<Answer> =>
  harness.request('update', `oidc/provider/${provider}/token`, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    client_id: client.id,
    ...(client.secret === '' ? {} : { client_secret: client.secret }),
    ...body,
  })

/** Who sends a request with an access token as `Authorization: Bearer`. */
export const bearer = (harness: Harness, accessToken: string): Sender => ({
  caller: harness.callerOf('', accessToken),
  headers: { authorization: `Bearer ${accessToken}` },
})

/** A request of a client to an endpoint of a provider, secret in the body. */
export const clientAsks = (
  harness: Harness,
  client: TestClient,
  endpoint: string,
  body: Readonly<Record<string, Json>>,
  provider = 'default',
): Promise<Answer> =>
  harness.request('update', `oidc/provider/${provider}/${endpoint}`, {
    client_id: client.id,
    ...(client.secret === '' ? {} : { client_secret: client.secret }),
    ...body,
  })

/** A refresh of tokens. */
export const refresh = (
  harness: Harness,
  client: TestClient,
  token: string,
  body: Readonly<Record<string, Json>> = {},
  provider?: string,
): Promise<Answer> =>
  clientAsks(
    harness,
    client,
    'token',
    { grant_type: 'refresh_token', refresh_token: token, ...body },
    provider,
  )

/** What a client has after somebody signed in to it. */
export interface Tokens {
  readonly access: string
  readonly id: string
  readonly refresh: string
}

/** The tokens of an answer that has them. */
export const tokensOf = ({ status, data }: Answer): Tokens => {
  assert.equal(status, 200, JSON.stringify(data))
  return {
    access: data['access_token'] as string,
    id: data['id_token'] as string,
    refresh: data['refresh_token'] as string,
  }
}

/** Signs the harness's person in to a client that gets refresh tokens. */
export const signIn = async (
  harness: OidcHarness,
  client: TestClient,
  body: Readonly<Record<string, Json>> = {},
  provider?: string,
): Promise<Tokens> => {
  const scoped = { scope: 'openid offline_access', ...body }
  const code = await codeFor(harness, client, scoped, provider)
  return tokensOf(await exchange(harness, client, code, {}, provider))
}

/** The status and text of what userinfo says to an access token. */
export const userinfo = async (
  harness: Harness,
  accessToken: string,
): Promise<readonly unknown[]> => {
  const sender = bearer(harness, accessToken)
  const answer = await harness.request('read', 'oidc/provider/default/userinfo', {}, sender)
  return [answer.status, answer.data['error_description']]
}
