import { createHmac } from 'node:crypto'

/** What passcodes are computed from (RFC 6238). */
export interface TotpParameters {
  /** Base64. */
  readonly key: string
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512'
  readonly digits: number
  /** Seconds. */
  readonly period: number
  /** Time steps before and after the present one that count, too. */
  readonly skew: number
}

/** The passcode of a time step. */
export const passcodeAt = (totp: Omit<TotpParameters, 'skew'>, step: number): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const hash = createHmac(totp.algorithm, Buffer.from(totp.key, 'base64')).update(counter).digest()
  const offset = hash[hash.length - 1]! & 0x0f
  const number = hash.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** totp.digits).padStart(totp.digits, '0')
}

/** The time step of an instant (ms). */
export const stepOf = (totp: Pick<TotpParameters, 'period'>, now: number): number =>
  Math.floor(now / 1000 / totp.period)

/**
 * The time steps whose passcode this is, of those that count at `now` (ms): almost always one or none. Compares all of them,
 * in the same time wherever they differ.
 */
export const matchingSteps = (
  totp: TotpParameters,
  passcode: string,
  now: number,
): readonly number[] => {
  const present = stepOf(totp, now)
  const steps: number[] = []
  for (let step = Math.max(0, present - totp.skew); step <= present + totp.skew; step++) {
    if (sameDigits(passcodeAt(totp, step), passcode)) steps.push(step)
  }
  return steps
}

const sameDigits = (a: string, b: string): boolean => {
  let differs = a.length ^ b.length
  for (let at = 0; at < a.length; at++) differs |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return differs === 0
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 without padding (RFC 4648). */
export const base32 = (bytes: Uint8Array): string => {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(held >> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + BASE32[(held << (5 - bits)) & 31]
}
