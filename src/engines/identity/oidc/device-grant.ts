import type { Tx } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import { single } from './client-answer.ts'
import { entityOfGrant } from './grant-entity.ts'
import type { Asking, Grant, GrantTools, Outcome, TokenCall } from './grant.ts'
import { issueTokens } from './issue-tokens.ts'
import { OAuthError, invalidGrant, invalidRequest } from './oauth-error.ts'
import { beginSession, newSession } from './offline-session.ts'
import type { DeviceRecord } from './records.ts'
import type { RefreshToken } from './refresh-token.ts'
import { firstRefreshToken } from './refresh-token.ts'
import { deviceRef } from './refs.ts'

/** The grant type of RFC 8628 3.4. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

interface Drawn {
  readonly tokenId: string
  readonly refresh: RefreshToken
}

const pending = (device: DeviceRecord, now: number): readonly [DeviceRecord, OAuthError] => {
  const tooSoon = device.polledAt !== 0 && now < device.polledAt + device.interval * 1000
  if (!tooSoon) {
    const error = new OAuthError('authorization_pending', 'nobody has let the device in yet')
    return [{ ...device, polledAt: now }, error]
  }
  const interval = device.interval + limits.oidcDevicePollSeconds
  const error = new OAuthError('slow_down', `poll every ${interval} seconds at most`)
  return [{ ...device, polledAt: now, interval }, error]
}

const letIn = async (
  tx: Tx,
  call: TokenCall,
  asking: Asking,
  tools: GrantTools,
  granted: { readonly scopes: readonly string[]; readonly entityId: string; readonly sid: string },
  { tokenId, refresh }: Drawn,
): Promise<Outcome> => {
  const { scopes, sid } = granted
  const entity = await entityOfGrant(tx, call, asking.client, granted.entityId)
  if (entity === undefined) {
    throw new OAuthError('access_denied', 'identity entity not authorized by client assignment')
  }
  const session = newSession(
    call,
    asking,
    { entityId: entity.id, scopes, authTime: undefined, sid },
    refresh,
  )
  const outcome = await issueTokens(tx, call, asking, tools, {
    entity,
    scopes,
    openid: true,
    nonce: '',
    authTime: undefined,
    sid,
    code: '',
    tokenId,
    offline: session === undefined ? undefined : { session, refreshToken: refresh.text },
  })
  if (session !== undefined) beginSession(tx, call, session, asking.client)
  return outcome
}

/** Gives a device its tokens once somebody has let it in, and until then tells it to ask again (RFC 8628 3.5). */
export const exchangeDeviceCode =
  (tools: GrantTools): Grant =>
  (call) => {
    const text = call.input.device_code
    const hash = call.names.hash('oidc-device-code', text)
    const drawn: Drawn = {
      tokenId: call.newId(),
      refresh: firstRefreshToken(call.names, call.newId(), call.randomBytes),
    }
    return async (tx, asking) => {
      if (text === '') throw invalidRequest('device_code parameter is required')
      single('device_code', text)
      const ref = deviceRef(call, hash)
      const device = await tx.get(ref)
      if (
        device === undefined ||
        device.clientId !== asking.client.clientId ||
        device.provider !== asking.provider.name
      ) {
        throw invalidGrant('device code is invalid or was used')
      }
      if (device.expiresAt <= call.now) {
        throw new OAuthError('expired_token', 'device code is expired')
      }
      const { decision } = device
      if (decision === undefined) {
        const [after, error] = pending(device, call.now)
        tx.put(ref, after)
        return error
      }
      tx.delete(ref)
      if (!decision.approved) return new OAuthError('access_denied', 'the device was not let in')
      try {
        const { scopes } = device
        return await letIn(tx, call, asking, tools, { ...decision, scopes }, drawn)
      } catch (error) {
        if (error instanceof OAuthError) return error
        throw error
      }
    }
  }
