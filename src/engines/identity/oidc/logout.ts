import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { idText } from '../../../engine/records.ts'
import type { RawResult } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import type { JsonObject } from '../../../std/json.ts'
import { answerClientError, answerClientRefusal } from './client-answer.ts'
import { findClient } from './clients.ts'
import { MalformedToken, tokenObject } from '../../../std/compact-jws.ts'
import { member } from '../../../std/json-object.ts'
import { parseOwnJws } from './own-jws.ts'
import type { OidcDeps } from './deps.ts'
import { signedBy } from './introspect.ts'
import { providerIssuer } from './issuer.ts'
import { published } from './key-ring.ts'
import { findKey } from './keys.ts'
import type { OAuthError } from './oauth-error.ts'
import { invalidRequest, orOAuthError } from './oauth-error.ts'
import { endSessions } from './offline-session.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord } from './records.ts'
import { signInSessions } from './refs.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  id_token_hint: field.string({ default: '', description: 'An ID token of the session' }),
  client_id: field.string({ default: '', description: 'The client it was issued to' }),
  post_logout_redirect_uri: field.string({
    default: '',
    description: 'Where the browser goes afterwards, if the client registered it',
  }),
  state: field.string({ default: '', description: 'Given back unchanged' }),
  logout_hint: field.string({ default: '', description: 'Not looked at' }),
  ui_locales: field.string({ default: '', description: 'Not looked at' }),
}

type LogoutCall = Call<InputOf<typeof fields>>

const ENDED = 'You are signed out.\n'

const wrongHint = (): OAuthError =>
  invalidRequest('id_token_hint is not an ID token of this provider')

/** The session and client that an ID token names. It may have expired: it only says what is to end. Throws an OAuthError. */
const readHint = async (
  call: LogoutCall,
  issuer: string,
): Promise<{ readonly sid: string; readonly client: ClientRecord }> => {
  let claims: JsonObject | undefined
  let jws: ReturnType<typeof parseOwnJws>
  try {
    jws = parseOwnJws(call.input.id_token_hint)
    claims = tokenObject(jws.payload)
  } catch (error) {
    if (error instanceof MalformedToken) throw wrongHint()
    throw error
  }
  const audience = claims === undefined ? undefined : member(claims, 'aud')
  if (claims === undefined || typeof audience !== 'string') throw wrongHint()
  const client = await findClient(call.records, call, audience)
  const key = client === undefined ? undefined : await findKey(call.records, call, client.key)
  if (client === undefined || key === undefined) throw wrongHint()
  if (!published(key, call.now).some((ring) => signedBy(jws, ring))) throw wrongHint()
  if (member(claims, 'iss') !== issuer) throw wrongHint()
  const sid = member(claims, 'sid')
  if (typeof sid !== 'string' || sid === '') {
    throw invalidRequest('id_token_hint names no session: its client had none to end')
  }
  return { sid, client }
}

/** Where the browser goes; undefined: nowhere. Throws an OAuthError for an address that is not the client's, letter by letter. */
const readRedirect = ({ input }: LogoutCall, client: ClientRecord): string | undefined => {
  const uri = input.post_logout_redirect_uri
  if (input.state.length > limits.oidcStateBytes) throw invalidRequest('state is too long')
  if (uri === '') return undefined
  if (!client.postLogoutRedirectUris.includes(uri)) {
    throw invalidRequest('post_logout_redirect_uri is not allowed for the client')
  }
  if (input.state === '') return uri
  const state = encodeURIComponent(input.state.toWellFormed())
  return `${uri}${uri.includes('?') ? '&' : '?'}state=${state}`
}

/** Nothing ends before everything is known to be right. */
const logOut = async (call: LogoutCall, deps: OidcDeps): Promise<RawResult> => {
  const { input, records } = call
  const provider = await findProvider(records, call, input.name)
  if (provider === undefined) throw invalidRequest('provider not found')
  if (input.id_token_hint === '') throw invalidRequest('id_token_hint parameter is required')
  const { sid, client } = await readHint(call, providerIssuer(call, deps, provider))
  if (input.client_id !== '' && input.client_id !== client.clientId) {
    throw invalidRequest('id_token_hint was not issued to the client')
  }
  const uri = readRedirect(call, client)
  await deps.sessions?.().end(call, sid)
  const ids: string[] = []
  for await (const page of records.scan(signInSessions(call, sid))) {
    ids.push(...page.map(({ tail }) => idText(tail)))
  }
  await endSessions(call, ids, ({ clientId }) => clientId === client.clientId)
  const done = uri === undefined ? raw(200, ENDED, 'text/plain; charset=utf-8') : raw(302, '{}')
  return {
    ...done,
    headers: { 'Cache-Control': 'no-store', ...(uri === undefined ? {} : { Location: uri }) },
  }
}

/** The endpoint to which a client sends a browser to end the session (OpenID Connect RP-Initiated Logout 1.0). */
export const logoutRoutes = (deps: OidcDeps): readonly Route[] => {
  const answer = (call: LogoutCall): Promise<RawResult> =>
    orOAuthError(() => logOut(call, deps), answerClientError)
  return [
    route({
      path: 'oidc/provider/:name/logout',
      summary: 'End the session of an ID token',
      fields,
      public: true,
      refusalAs: answerClientRefusal,
      verbs: { read: answer, update: answer },
    }),
  ]
}
