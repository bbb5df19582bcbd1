import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/*
 * Form of the seal's few records: format 1 (1 byte), random nonce (12), ciphertext, tag (16); AES-256-GCM with the
 * storage key as additional data. Written so rarely that random nonces are safe.
 */
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'

/** The contents encrypted under the key and bound to the place where they will stand. */
export const closeBox = (key: KeyObject, place: Uint8Array, contents: Uint8Array): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce)
  cipher.setAAD(place)
  return Buffer.concat([
    Buffer.of(FORMAT),
    nonce,
    cipher.update(contents),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

/** The contents; undefined when the key is not the right one or the box was changed. */
export const openBox = (key: KeyObject, place: Uint8Array, box: Uint8Array): Buffer | undefined => {
  if (box.length < 1 + NONCE_BYTES + TAG_BYTES || box[0] !== FORMAT) return undefined
  const nonce = box.subarray(1, 1 + NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(place)
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES))
  const contents = decipher.update(box.subarray(1 + NONCE_BYTES, box.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return contents
}
