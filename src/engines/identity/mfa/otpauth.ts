import type { TotpMethod } from './records.ts'
import { base32 } from './totp.ts'

const escape = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** In a path some signs need no escape. */
const escapePath = (text: string): string =>
  escape(text).replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, (code) => decodeURIComponent(code))

/** The URL that authenticator apps read: `otpauth://totp/<issuer>:<account>?…&secret=<base32>`. */
export const otpauthUrl = (
  method: Pick<TotpMethod, 'algorithm' | 'digits' | 'issuer' | 'period'>,
  account: string,
  key: Uint8Array,
): string => {
  const query = {
    algorithm: method.algorithm,
    digits: String(method.digits),
    issuer: method.issuer,
    period: String(method.period),
    secret: base32(key),
  }
  const text = Object.entries(query)
    .map(([name, value]) => `${name}=${escape(value)}`)
    .join('&')
  return `otpauth://totp/${escapePath(method.issuer)}:${escapePath(account)}?${text}`
}

/** A QR code of a text as a PNG in base64, about so many pixels wide; '' for none. */
export const qrCode = async (text: string, pixels: number): Promise<string> => {
  if (pixels === 0) return ''
  // Sixty files that no start should wait for.
  const { default: QRCode } = await import('qrcode')
  const image = await QRCode.toBuffer(text, {
    type: 'png',
    errorCorrectionLevel: 'M',
    width: pixels,
  })
  return image.toString('base64')
}
