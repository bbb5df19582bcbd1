import type { KeyObject } from 'node:crypto'
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import type { Keyring } from './keyring.ts'

/*
 * What a batch token carries, sealed: format 1 (1 byte), salt (16), nonce (12), ciphertext, tag (16). AES-256-GCM under
 * HKDF-SHA256(derived key, salt), the format as additional data. Each token draws its own salt, so that however many
 * tokens are made, by however many processes, no key comes near the bounds of random nonces (architecture.md F4). The
 * derived key outlives rotations, as tokens that are given out have to.
 */
const FORMAT = 1
const SALT_AT = 1
const SALT_BYTES = 16
const NONCE_AT = SALT_AT + SALT_BYTES
const NONCE_BYTES = 12
const TEXT_AT = NONCE_AT + NONCE_BYTES
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'

/** What sealed contents are longer than the contents, bytes. */
export const BATCH_SEAL_OVERHEAD = TEXT_AT + TAG_BYTES

const keyOf = (derived: KeyObject, salt: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', derived, salt, 'signet batch token', 32)))

/** Seals what batch tokens carry, under a key that only this barrier has. */
export class BatchSealer {
  readonly #derived: KeyObject

  constructor(keyring: Pick<Keyring, 'derive'>) {
    this.#derived = keyring.derive('batch token')
  }

  /** The contents sealed; other bytes each time. */
  seal(contents: Uint8Array): Uint8Array {
    const sealed = Buffer.allocUnsafe(contents.length + BATCH_SEAL_OVERHEAD)
    sealed[0] = FORMAT
    sealed.set(randomBytes(SALT_BYTES + NONCE_BYTES), SALT_AT)
    const key = keyOf(this.#derived, sealed.subarray(SALT_AT, NONCE_AT))
    const cipher = createCipheriv(ALGORITHM, key, sealed.subarray(NONCE_AT, TEXT_AT))
    cipher.setAAD(sealed.subarray(0, SALT_AT))
    sealed.set(cipher.update(contents), TEXT_AT)
    cipher.final()
    sealed.set(cipher.getAuthTag(), TEXT_AT + contents.length)
    return sealed
  }

  /** The contents; undefined for what this barrier has not sealed, or what was changed since. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < BATCH_SEAL_OVERHEAD || sealed[0] !== FORMAT) return undefined
    const key = keyOf(this.#derived, sealed.subarray(SALT_AT, NONCE_AT))
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(NONCE_AT, TEXT_AT), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(sealed.subarray(0, SALT_AT))
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
    const contents = decipher.update(sealed.subarray(TEXT_AT, sealed.length - TAG_BYTES))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return contents
  }
}
