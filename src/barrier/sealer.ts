import type { KeyObject } from 'node:crypto'
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { storageLimits } from '../storage/limits.ts'
import type { Key } from '../storage/store.ts'
import { BarrierBroken } from './barrier-broken.ts'
import type { Keyring, Term } from './keyring.ts'

/*
 * A sealed value: format 1 (1 byte), term (4, big endian), salt (16), counter (8), ciphertext, tag (16).
 * AES-256-GCM under HKDF-SHA256(term key, salt), nonce = 4 zero bytes and the counter, the storage key as
 * additional data. Each process draws its own salt, so that no counter is shared and no nonce repeats (architecture.md F4).
 */
const FORMAT = 1
const TERM_AT = 1
const SALT_AT = 5
const SALT_BYTES = 16
const COUNTER_AT = SALT_AT + SALT_BYTES
const HEADER_BYTES = COUNTER_AT + 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'
/** Each process that ever wrote left a salt; those in use at a time are few. */
const CACHED_SUBKEYS = 4096
/** Draws a new salt long before AES-GCM's bounds for one key come near. */
const SEALS_PER_SALT = 2 ** 32

/** What a sealed value is longer than its contents, bytes. */
export const SEAL_OVERHEAD = HEADER_BYTES + TAG_BYTES

interface Sealing {
  readonly term: Term
  readonly header: Buffer
  readonly key: KeyObject
  counter: number
}

/** By length: as long as keys can be. */
const additional: Buffer[] = []
const additionalBytes = Buffer.alloc(storageLimits.keyBytes)

/**
 * A copy of a key to be given to a cipher at once: a small array whose memory is asked for from outside gets a block off the heap, and
 * keys live long.
 */
const additionalData = (key: Key): Uint8Array => {
  if (key.length > additionalBytes.length) return key
  additionalBytes.set(key)
  return (additional[key.length] ??= additionalBytes.subarray(0, key.length))
}

const subkey = (term: Term, salt: Uint8Array): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', term.key, salt, 'signet barrier', 32)))

/** Seals and opens values under the keys of a keyring; one per process. */
export class Sealer {
  readonly #keyring: Keyring
  /** By term and salt as they stand in the header. */
  readonly #subkeys = new Map<string, KeyObject>()
  readonly #nonce = Buffer.alloc(NONCE_BYTES)
  #sealing: Sealing | undefined

  constructor(keyring: Keyring) {
    this.#keyring = keyring
  }

  /** The value sealed under its storage key by the active term. */
  seal(key: Key, value: Uint8Array): Uint8Array {
    const sealing = this.#current()
    const sealed = Buffer.allocUnsafe(value.length + SEAL_OVERHEAD)
    sealed.set(sealing.header, 0)
    sealed.writeUInt32BE(Math.floor(sealing.counter / 2 ** 32), COUNTER_AT)
    sealed.writeUInt32BE(sealing.counter >>> 0, COUNTER_AT + 4)
    sealing.counter++
    const cipher = createCipheriv(ALGORITHM, sealing.key, this.#nonceOf(sealed))
    cipher.setAAD(additionalData(key))
    sealed.set(cipher.update(value), HEADER_BYTES)
    cipher.final()
    sealed.set(cipher.getAuthTag(), HEADER_BYTES + value.length)
    return sealed
  }

  /** The contents, or `unknown-term` when the keyring must be read again. Throws BarrierBroken. */
  open(key: Key, sealed: Uint8Array): Uint8Array | 'unknown-term' {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
    if (bytes.length < SEAL_OVERHEAD || bytes[0] !== FORMAT) {
      throw new BarrierBroken(key, 'is not a sealed value')
    }
    const subkeyOf = this.#subkeyOf(bytes)
    if (subkeyOf === undefined) return 'unknown-term'
    const decipher = createDecipheriv(ALGORITHM, subkeyOf, this.#nonceOf(bytes), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(additionalData(key))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const opened = decipher.update(bytes.subarray(HEADER_BYTES, bytes.length - TAG_BYTES))
    try {
      decipher.final()
    } catch {
      throw new BarrierBroken(
        key,
        'does not open: it was changed, moved or sealed by another barrier',
      )
    }
    return opened
  }

  #current(): Sealing {
    const term = this.#keyring.active
    const sealing = this.#sealing
    if (sealing !== undefined && sealing.term === term && sealing.counter < SEALS_PER_SALT)
      return sealing
    const header = Buffer.alloc(HEADER_BYTES)
    header[0] = FORMAT
    header.writeUInt32BE(term.term, TERM_AT)
    const salt = randomBytes(SALT_BYTES)
    header.set(salt, SALT_AT)
    this.#sealing = { term, header, key: subkey(term, salt), counter: 0 }
    return this.#sealing
  }

  #subkeyOf(sealed: Buffer): KeyObject | undefined {
    const name = sealed.toString('latin1', TERM_AT, COUNTER_AT)
    const known = this.#subkeys.get(name)
    if (known !== undefined) return known
    const term = this.#keyring.term(sealed.readUInt32BE(TERM_AT))
    if (term === undefined) return undefined
    const made = subkey(term, sealed.subarray(SALT_AT, COUNTER_AT))
    if (this.#subkeys.size >= CACHED_SUBKEYS) {
      for (const oldest of this.#subkeys.keys()) {
        this.#subkeys.delete(oldest)
        break
      }
    }
    this.#subkeys.set(name, made)
    return made
  }

  /** The nonce of a header; valid until the next call. */
  #nonceOf(header: Buffer): Buffer {
    header.copy(this.#nonce, NONCE_BYTES - 8, COUNTER_AT, HEADER_BYTES)
    return this.#nonce
  }
}
