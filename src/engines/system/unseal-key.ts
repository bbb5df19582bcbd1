import { invalid } from '../../engine/refusal.ts'
import { decodeBase64 } from './base64.ts'

const SHORTEST = 16
const LONGEST = 33

const HEX = /^([0-9a-fA-F]{2})+$/

/** The bytes of an unseal key given as text: hex when that gives a length a key can have, else standard base64; undefined for what is neither. */
export const decodeUnsealKeyText = (text: string): Buffer | undefined => {
  if (text.length <= 2 * LONGEST && HEX.test(text)) {
    const bytes = Buffer.from(text, 'hex')
    if (bytes.length >= SHORTEST && bytes.length <= LONGEST) return bytes
  }
  const bytes = decodeBase64(text)
  return Buffer.isBuffer(bytes) ? bytes : undefined
}

/** The same, refusing what is neither. */
export const decodeUnsealKey = (text: string): Buffer => {
  const bytes = decodeUnsealKeyText(text)
  if (bytes === undefined) throw invalid(`'key' must be a valid hex or base64 string`)
  return bytes
}

/** Why no key has this length; undefined for one that a key can have. */
export const unsealKeyProblem = (key: Buffer): string | undefined => {
  if (key.length < SHORTEST) return `key is shorter than minimum ${SHORTEST} bytes`
  if (key.length > LONGEST) return `key is longer than maximum ${LONGEST} bytes`
  return undefined
}

/** Refuses keys of a length that no key has. */
export const checkKeyLength = (key: Buffer): void => {
  const problem = unsealKeyProblem(key)
  if (problem !== undefined) throw invalid(`invalid key: ${problem}`)
}
