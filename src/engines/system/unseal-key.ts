import { invalid } from '../../engine/refusal.ts'

const SHORTEST = 16
const LONGEST = 33

const HEX = /^([0-9a-fA-F]{2})+$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The bytes of an unseal key given as text: hex when that gives a length a key can have, else standard base64. Refuses what
 * is neither.
 */
export const decodeUnsealKey = (text: string): Buffer => {
  if (HEX.test(text)) {
    const bytes = Buffer.from(text, 'hex')
    if (bytes.length >= SHORTEST && bytes.length <= LONGEST) return bytes
  }
  if (!BASE64.test(text)) throw invalid(`'key' must be a valid hex or base64 string`)
  return Buffer.from(text, 'base64')
}

/** Refuses keys of a length that no key has. */
export const checkKeyLength = (key: Buffer): void => {
  if (key.length < SHORTEST) {
    throw invalid(`invalid key: key is shorter than minimum ${SHORTEST} bytes`)
  }
  if (key.length > LONGEST) {
    throw invalid(`invalid key: key is longer than maximum ${LONGEST} bytes`)
  }
}
