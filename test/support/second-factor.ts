import { passcodeAt, stepOf } from '../../src/engines/identity/mfa/totp.ts'
import type { Json } from '../../src/std/json.ts'
import type { Node, NodeAnswer } from './nodes.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const bytesOfBase32 = (text: string): Buffer => {
  const bits = Array.from(text)
    .map((sign) => ALPHABET.indexOf(sign).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** A member of an answer that is a text. */
export const textOf = ({ data }: NodeAnswer, name: string): string => {
  const value = data[name]
  if (typeof value !== 'string') throw new Error(`no text in ${name}`)
  return value
}

/** An authenticator app: reads an otpauth URL and shows passcodes. */
export const authenticator = (made: NodeAnswer): { readonly at: (now: number) => string } => {
  const { searchParams } = new URL(textOf(made, 'url'))
  const totp = {
    key: bytesOfBase32(searchParams.get('secret')!).toString('base64'),
    algorithm: searchParams.get('algorithm') as 'SHA1' | 'SHA256' | 'SHA512',
    digits: Number(searchParams.get('digits')),
    period: Number(searchParams.get('period')),
  }
  return { at: (now) => passcodeAt(totp, stepOf(totp, now)) }
}

/** The id of the login that an answer says is waiting. */
export const requestIdOf = ({ requirement }: NodeAnswer): string => {
  const id = (requirement as { readonly mfa_request_id?: Json } | undefined)?.mfa_request_id
  return typeof id === 'string' ? id : ''
}

/** Answers the second factor of a login. */
export const validate = (
  node: Node,
  login: NodeAnswer | string,
  payload: Readonly<Record<string, Json>>,
): Promise<NodeAnswer> =>
  node.write(
    'sys/mfa/validate',
    {
      mfa_request_id: typeof login === 'string' ? login : requestIdOf(login),
      mfa_payload: payload,
    },
    '',
  )
