import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { invalid } from '../../../engine/refusal.ts'
import type { ClientRecord } from './records.ts'
import { sortedSet } from './refs.ts'

/** The fields of a client that the reference does not have. */
export const sessionFields = {
  allow_refresh: field.bool({
    description: 'Gives refresh tokens to those who ask for the scope offline_access',
  }),
  refresh_token_idle_ttl: field.duration({
    description: 'How long a refresh token may lie unused; 7 days if not given',
  }),
  refresh_token_max_ttl: field.duration({
    description:
      'How long refresh tokens last from the sign-in, however often used; 30 days if not given',
  }),
  device_code: field.bool({ description: 'May use the device authorization flow' }),
  post_logout_redirect_uris: field.commaList({
    description: 'Where browsers may be sent after a logout, compared exactly',
  }),
}

/** What of a client these fields say. */
export type SessionSettings = Pick<
  ClientRecord,
  'allowRefresh' | 'refreshIdleTtl' | 'refreshMaxTtl' | 'deviceCode' | 'postLogoutRedirectUris'
>

const IDLE_SECONDS = 7 * 86_400
const MOST_SECONDS = 30 * 86_400

/** Schemes that run or read something where the browser is, instead of leading away. */
const UNSAFE = ['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:']

/** Throws a 400 for what is no absolute URI, has a fragment, or could not stand in a header. */
const checkUri = (uri: string): void => {
  const url = /^[\x21-\x7e]+$/.test(uri) && !uri.includes('#') ? URL.parse(uri) : null
  if (url === null || UNSAFE.includes(url.protocol)) {
    throw invalid(
      `invalid post_logout_redirect_uri ${JSON.stringify(uri)}: it must be an absolute URI without fragment`,
    )
  }
}

const positive = (name: string, seconds: number): number => {
  if (seconds < 1) throw invalid(`${name} must be greater than zero`)
  return seconds
}

/** The settings after a write. Throws Refusals. */
export const sessionSettings = (
  input: InputOf<typeof sessionFields>,
  present: SessionSettings | undefined,
): SessionSettings => {
  for (const uri of input.post_logout_redirect_uris ?? []) checkUri(uri)
  return {
    allowRefresh: input.allow_refresh ?? present?.allowRefresh ?? false,
    refreshIdleTtl: positive(
      'refresh_token_idle_ttl',
      input.refresh_token_idle_ttl ?? present?.refreshIdleTtl ?? IDLE_SECONDS,
    ),
    refreshMaxTtl: positive(
      'refresh_token_max_ttl',
      input.refresh_token_max_ttl ?? present?.refreshMaxTtl ?? MOST_SECONDS,
    ),
    deviceCode: input.device_code ?? present?.deviceCode ?? false,
    postLogoutRedirectUris:
      input.post_logout_redirect_uris === undefined
        ? (present?.postLogoutRedirectUris ?? [])
        : sortedSet(input.post_logout_redirect_uris),
  }
}

/** The settings as reads show them. */
export const shownSettings = (client: SessionSettings): Readonly<Record<string, unknown>> => ({
  allow_refresh: client.allowRefresh,
  refresh_token_idle_ttl: client.refreshIdleTtl,
  refresh_token_max_ttl: client.refreshMaxTtl,
  device_code: client.deviceCode,
  post_logout_redirect_uris: client.postLogoutRedirectUris,
})

/** Whether a client's ID tokens say in which session they were made. */
export const knowsSessions = (client: SessionSettings): boolean =>
  client.allowRefresh || client.postLogoutRedirectUris.length > 0
