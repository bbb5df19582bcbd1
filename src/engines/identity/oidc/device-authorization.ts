import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { readClient } from './asking-client.ts'
import { base62 } from '../../../std/base62.ts'
import { CODE_LENGTH } from './drawn-lengths.ts'
import { answerClientError, answerClientRefusal, clientAnswer } from './client-answer.ts'
import type { OidcDeps } from './deps.ts'
import { DUE_DEVICE, DUE_USER_CODE, dueRef } from './due.ts'
import { devicePage, providerIssuer } from './issuer.ts'
import { OAuthError, invalidRequest, orOAuthError } from './oauth-error.ts'
import type { DeviceRecord, ProviderRecord } from './records.ts'
import { deviceRef, userCodeRef } from './refs.ts'
import { readScope } from './requested-scopes.ts'
import { drawUserCode, shownUserCode } from './user-code.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  client_id: field.string({ default: '', description: 'The client, unless Basic names it' }),
  client_secret: field.string({ default: '', description: 'Its secret, unless Basic gives it' }),
  scope: field.string({
    default: '',
    description: 'Scopes, separated by spaces; openid among them',
  }),
}

type DeviceCall = Call<InputOf<typeof fields>>

/** Both codes of a device, and where they are kept. */
interface Codes {
  readonly device: string
  readonly deviceHash: Uint8Array
  readonly user: string
  readonly userHash: Uint8Array
}

const drawCodes = ({ names, randomBytes }: DeviceCall): Codes => {
  const device = base62(randomBytes, CODE_LENGTH)
  const user = drawUserCode(randomBytes)
  return {
    device,
    deviceHash: names.hash('oidc-device-code', device),
    user,
    userHash: names.hash('oidc-user-code', user),
  }
}

/** Puts a waiting device; undefined when the user code is another device's. */
const begin = async (
  tx: Tx,
  call: DeviceCall,
  codes: Codes,
): Promise<ProviderRecord | undefined> => {
  const { provider, client } = await readClient(tx, call)
  if (!client.deviceCode) {
    throw new OAuthError('unauthorized_client', 'client may not use the device authorization flow')
  }
  if ((await tx.get(userCodeRef(call, codes.userHash))) !== undefined) return undefined
  const expiresAt = call.now + limits.oidcDeviceMs
  const device: DeviceRecord = {
    provider: provider.name,
    clientId: client.clientId,
    scopes: readScope(call.input.scope),
    remoteAddress: call.remoteAddress,
    createdAt: call.now,
    expiresAt,
    interval: limits.oidcDevicePollSeconds,
    polledAt: 0,
    decision: undefined,
  }
  const ref = deviceRef(call, codes.deviceHash)
  if (ref.kind.encode(device).length > limits.oidcCodeBytes) {
    throw invalidRequest('the device authorization request is too long')
  }
  tx.put(ref, device)
  tx.put(userCodeRef(call, codes.userHash), {
    device: Buffer.from(codes.deviceHash).toString('hex'),
    until: expiresAt,
  })
  // Kept as long again, so that a late poll is told why (RFC 8628 3.5).
  const dropAt = expiresAt + limits.oidcDeviceMs
  tx.put(dueRef(call, DUE_DEVICE, codes.deviceHash, dropAt), { due: true })
  tx.put(dueRef(call, DUE_USER_CODE, codes.userHash, expiresAt), { due: true })
  return provider
}

const authorizeDevice = async (call: DeviceCall, deps: OidcDeps): Promise<RawResult> => {
  for (let attempt = 0; attempt < limits.decisionAttempts; attempt++) {
    const codes = drawCodes(call)
    const provider = await call.records.transact((tx) => begin(tx, call, codes))
    if (provider === undefined) continue
    const page = devicePage(providerIssuer(call, deps, provider))
    return clientAnswer([
      ['device_code', codes.device],
      ['user_code', shownUserCode(codes.user)],
      ['verification_uri', page],
      ['verification_uri_complete', `${page}?user_code=${shownUserCode(codes.user)}`],
      ['expires_in', limits.oidcDeviceMs / 1000],
      ['interval', limits.oidcDevicePollSeconds],
    ])
  }
  throw new Refusal('unavailable', 'no user code is free; try again')
}

/** The endpoint at which a device without a browser asks to be let in (RFC 8628 3.1). */
export const deviceAuthorizationRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider/:name/device_authorization',
    summary: 'Get the codes with which a device waits to be let in',
    fields,
    public: true,
    refusalAs: answerClientRefusal,
    verbs: {
      update: (call) => orOAuthError(() => authorizeDevice(call, deps), answerClientError),
    },
  }),
]
