import { compareBytes } from '../std/json.ts'
import { errorList } from './refusal.ts'

const PAIRS = 64
const KEY_BYTES = 128
const VALUE_BYTES = 512

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u

const pairFaults = (key: string, value: string): readonly string[] => {
  const faults: string[] = []
  const quoted = JSON.stringify(key)
  const keyBytes = Buffer.byteLength(key)
  const valueBytes = Buffer.byteLength(value)
  if (keyBytes === 0 || keyBytes > KEY_BYTES) {
    faults.push(`length of key ${quoted} is ${keyBytes} but must be 0 < len(key) <= ${KEY_BYTES}`)
  }
  if (valueBytes === 0 || valueBytes > VALUE_BYTES) {
    faults.push(
      `length of value for key ${quoted} is ${valueBytes} but must be 0 < len(value) <= ${VALUE_BYTES}`,
    )
  }
  if (!PRINTABLE.test(key)) faults.push(`key ${quoted} (${key}) contains unprintable characters`)
  if (!PRINTABLE.test(value)) {
    faults.push(`value for key ${quoted} contains unprintable characters`)
  }
  return faults
}

/**
 * All that is wrong with `custom_metadata`, of an alias (identity.md 8.2) or of a secret, in the recorded words; undefined when
 * nothing is. Which status it makes is the caller's: the reference answers 500 for aliases, 400 for secrets.
 */
export const customMetadataFault = (
  metadata: Readonly<Record<string, string>>,
): string | undefined => {
  const keys = Object.keys(metadata).sort(compareBytes)
  const faults =
    keys.length > PAIRS
      ? [`payload must contain at most ${PAIRS} keys, provided ${keys.length}`]
      : keys.flatMap((key) => pairFaults(key, metadata[key]!))
  if (faults.length === 0) return undefined
  return errorList(faults.map((text) => `custom_metadata validation failed: ${text}`))
}
