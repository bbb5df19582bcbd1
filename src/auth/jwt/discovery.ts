import type { Json } from '../../std/json.ts'
import { JsonSyntaxError, parseJson } from '../../std/json.ts'
import { isJsonObject, member } from '../../std/json-object.ts'
import type { Outbound, Trust } from './outbound.ts'
import { OutboundFailure } from './outbound.ts'

/** What is used of a provider's discovery document (OpenID Connect Discovery 1.0). '' = not named. */
export interface Provider {
  readonly issuer: string
  readonly jwksUri: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly userinfoEndpoint: string
  readonly deviceAuthorizationEndpoint: string
}

const parse = (body: string): Json => {
  try {
    return parseJson(body)
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw new OutboundFailure('the answer is not JSON', { cause: error })
    }
    throw error
  }
}

/**
 * Reads the provider's document below `url`, which must be its issuer, letter by letter. An endpoint may not be http when
 * the issuer is https. Throws OutboundFailure.
 */
export const discover = async (
  outbound: Outbound,
  url: string,
  trust: Trust,
): Promise<Provider> => {
  const answer = await outbound(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`, trust)
  if (answer.status !== 200) throw new OutboundFailure(`status ${answer.status}`)
  const document = parse(answer.body)
  if (!isJsonObject(document)) throw new OutboundFailure('the answer is not a JSON object')
  const text = (name: string): string => {
    const value = member(document, name)
    return typeof value === 'string' ? value : ''
  }
  const endpoint = (name: string): string => {
    const value = text(name)
    if (url.startsWith('https:') && value !== '' && !value.startsWith('https:')) {
      throw new OutboundFailure(`${name} is not an https URL`)
    }
    return value
  }
  if (text('issuer') !== url) {
    throw new OutboundFailure('the issuer in the answer is not the configured URL')
  }
  return {
    issuer: url,
    jwksUri: endpoint('jwks_uri'),
    authorizationEndpoint: endpoint('authorization_endpoint'),
    tokenEndpoint: endpoint('token_endpoint'),
    userinfoEndpoint: endpoint('userinfo_endpoint'),
    deviceAuthorizationEndpoint: endpoint('device_authorization_endpoint'),
  }
}
