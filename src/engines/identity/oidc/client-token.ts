import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Reader } from '../../../engine/records.ts'
import { idBytes } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import type { JsonObject } from '../../../std/json.ts'
import { grantOf, isRevoked } from './access-token.ts'
import { findClient } from './clients.ts'
import { MalformedToken, tokenObject } from '../../../std/compact-jws.ts'
import { member } from '../../../std/json-object.ts'
import { parseOwnJws } from './own-jws.ts'
import type { OidcDeps } from './deps.ts'
import { secondsOf, signedBy } from './introspect.ts'
import { providerIssuer } from './issuer.ts'
import { published } from './key-ring.ts'
import { findKey } from './keys.ts'
import { goesOn } from './offline-session.ts'
import type { ClientRecord, OfflineSession, ProviderRecord } from './records.ts'
import { parseRefreshToken } from './refresh-token.ts'
import { sessionRef } from './refs.ts'

/** What a client sends to have one of its tokens ended or described (RFC 7009 2.1, RFC 7662 2.1). */
export const clientTokenFields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  client_id: field.string({ default: '', description: 'The client, unless Basic names it' }),
  client_secret: field.string({ default: '', description: 'Its secret, unless Basic gives it' }),
  token: field.string({ default: '', description: 'The access or refresh token' }),
  token_type_hint: field.string({
    default: '',
    description: 'access_token or refresh_token; looked for as the other, too',
  }),
}

/** A token that a provider gave a client and that has not ended; whether its entity may still log in is asked elsewhere. */
export type ClientToken =
  | {
      readonly kind: 'refresh'
      readonly client: ClientRecord
      readonly session: OfflineSession
      /** False for one that was exchanged already. */
      readonly current: boolean
    }
  | {
      readonly kind: 'access'
      readonly client: ClientRecord
      readonly tokenId: string
      /** ms */
      readonly issuedAt: number
      readonly expiresAt: number
      /** '' for a token that the client was given for itself. */
      readonly entityId: string
      readonly scopes: readonly string[]
    }

type Finder = (
  reader: Reader,
  call: Call,
  deps: OidcDeps,
  provider: ProviderRecord,
  text: string,
) => Promise<ClientToken | undefined>

const findRefreshToken: Finder = async (reader, call, _deps, provider, text) => {
  const token = parseRefreshToken(call.names, text)
  if (token === undefined) return undefined
  const session = await reader.get(sessionRef(call, token.sessionId))
  if (session === undefined || session.provider !== provider.name) return undefined
  const client = await findClient(reader, call, session.clientId)
  if (client === undefined || !goesOn(session, client, call.now)) return undefined
  return { kind: 'refresh', client, session, current: token.hash === session.current }
}

const findEntityToken: Finder = async (reader, call, deps, provider, text) => {
  if (text.length > limits.batchTokenBytes) return undefined
  const live = await deps.tokens().find(reader, call, text)
  if (live === undefined) return undefined
  const { record } = live
  const grant = grantOf(record)
  if (grant === undefined || grant.provider !== provider.name) return undefined
  const client = await findClient(reader, call, grant.clientId)
  if (client === undefined || (await isRevoked(reader, call, client, grant))) return undefined
  return {
    kind: 'access',
    client,
    tokenId: grant.tokenId,
    issuedAt: record.createdAt,
    expiresAt: record.expiresAt ?? Infinity,
    entityId: record.entityId,
    scopes: grant.scopes,
  }
}

const claimsOf = (
  text: string,
): { readonly claims: JsonObject; readonly jws: ReturnType<typeof parseOwnJws> } | undefined => {
  try {
    const jws = parseOwnJws(text)
    const claims = tokenObject(jws.payload)
    return claims === undefined ? undefined : { claims, jws }
  } catch (error) {
    if (error instanceof MalformedToken) return undefined
    throw error
  }
}

const findOwnToken: Finder = async (reader, call, deps, provider, text) => {
  const parsed = claimsOf(text)
  if (parsed === undefined) return undefined
  const { claims, jws } = parsed
  const [subject, tokenId] = [member(claims, 'sub'), member(claims, 'jti')]
  // An ID token is no access token: it stands for another than its audience.
  if (typeof subject !== 'string' || subject !== member(claims, 'aud')) return undefined
  if (typeof tokenId !== 'string' || idBytes(tokenId) === undefined) return undefined
  const client = await findClient(reader, call, subject)
  const key = client === undefined ? undefined : await findKey(reader, call, client.key)
  if (client === undefined || key === undefined) return undefined
  if (!published(key, call.now).some((ring) => signedBy(jws, ring))) return undefined
  if (member(claims, 'iss') !== providerIssuer(call, deps, provider)) return undefined
  const [issuedAt, expiresAt] = [secondsOf(member(claims, 'iat')), secondsOf(member(claims, 'exp'))]
  if (issuedAt === undefined || expiresAt === undefined) return undefined
  if (expiresAt * 1000 <= call.now) return undefined
  if (await isRevoked(reader, call, client, { tokenId, sessionId: '' })) return undefined
  return {
    kind: 'access',
    client,
    tokenId,
    issuedAt: issuedAt * 1000,
    expiresAt: expiresAt * 1000,
    entityId: '',
    scopes: [],
  }
}

const FINDERS: readonly Finder[] = [findRefreshToken, findEntityToken, findOwnToken]

/** The token of a text; undefined for unknown, expired and revoked ones, and for those of another provider, alike. */
export const findClientToken: Finder = async (reader, call, deps, provider, text) => {
  for (const find of FINDERS) {
    const token = await find(reader, call, deps, provider, text)
    if (token !== undefined) return token
  }
  return undefined
}
