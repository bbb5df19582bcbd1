import { invalid } from '../../engine/refusal.ts'
import { decodeBase64 } from './base64.ts'

const SHORTEST = 16
const LONGEST = 33

const HEX = /^([0-9a-fA-F]{2})+$/
/**
 * The bytes of an unseal key given as text: hex when that gives a length a key can have, else standard base64. Refuses what
 * is neither.
 */
export const decodeUnsealKey = (text: string): Buffer => {
  if (HEX.test(text)) {
    const bytes = Buffer.from(text, 'hex')
    if (bytes.length >= SHORTEST && bytes.length <= LONGEST) return bytes
  }
  const bytes = decodeBase64(text)
  if (!Buffer.isBuffer(bytes)) throw invalid(`'key' must be a valid hex or base64 string`)
  return bytes
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
