import type { KeyObject } from 'node:crypto'
import { createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

const KEY_BYTES = 32
const HASH_BYTES = 16
const REMEMBERED_HASHES = 8_192
/** Longer texts are rarely hashed twice. */
const REMEMBERED_UNITS = 64

/** One AES-256 key of the barrier. Terms count from 1; `installedAt` in ms since 1970. */
export interface Term {
  readonly term: number
  readonly key: KeyObject
  readonly installedAt: number
}

interface StoredKeyring {
  readonly version: 1
  readonly index: string
  readonly active: number
  readonly terms: readonly {
    readonly term: number
    readonly key: string
    readonly installedAt: number
  }[]
}

const bytesOf = (hash: string): Uint8Array => {
  const bytes = new Uint8Array(HASH_BYTES)
  for (let at = 0; at < HASH_BYTES; at++) bytes[at] = hash.charCodeAt(at)
  return bytes
}

/**
 * The keys of the barrier: one AES key a term, the newest seals, all open; and the index key that names records,
 * which never changes because the names would (architecture.md F5). Holds secrets: never log it.
 */
export class Keyring {
  readonly #indexKey: KeyObject
  readonly #kinds = new Map<string, KeyObject>()
  /** Names hashed lately: accessors, roles and people come again and again. As text, which takes a tenth of what an array of bytes does. */
  readonly #hashes = new LRUCache<string, string>({ max: REMEMBERED_HASHES })
  #terms: ReadonlyMap<number, Term>
  #active: Term

  constructor(indexKey: KeyObject, terms: readonly Term[], active: number) {
    this.#indexKey = indexKey
    this.#terms = new Map(terms.map((term) => [term.term, term]))
    const found = this.#terms.get(active)
    if (found === undefined) throw new Error(`the keyring lacks its active term ${active}`)
    this.#active = found
  }

  /** The term that seals now. */
  get active(): Term {
    return this.#active
  }

  /** The term of this number, undefined when this process has not learned of it. */
  term(term: number): Term | undefined {
    return this.#terms.get(term)
  }

  /** A keyring with one more term, active; commit its `serialise()`d form first, then `adopt` it. */
  rotate(now: number): Keyring {
    const newest = Math.max(...this.#terms.keys())
    const next: Term = {
      term: newest + 1,
      key: createSecretKey(randomBytes(KEY_BYTES)),
      installedAt: now,
    }
    return new Keyring(this.#indexKey, [...this.#terms.values(), next], next.term)
  }

  /**
   * Takes over the terms of a newer form of the same keyring; an older one, read before this process learned of a
   * rotation, changes nothing. Throws if its index key is another.
   */
  adopt(newer: Keyring): void {
    if (!this.#indexKey.equals(newer.#indexKey)) {
      throw new Error('the keyring to adopt belongs to another barrier: its index key differs')
    }
    if (newer.#active.term < this.#active.term) return
    this.#terms = newer.#terms
    this.#active = newer.#active
  }

  /** The name of a record: 16 bytes of HMAC-SHA256 under the kind's own sub-key, so that equal texts of two kinds do not match. */
  hash(kind: string, text: string | Uint8Array): Uint8Array {
    if (typeof text !== 'string' || text.length > REMEMBERED_UNITS) return this.hashNew(kind, text)
    const name = `${kind} ${text}`
    let hash = this.#hashes.get(name)
    if (hash === undefined) {
      hash = this.#hashText(kind, text)
      this.#hashes.set(name, hash)
    }
    return bytesOf(hash)
  }

  /** The same of what was drawn just now: looking it up would be in vain, and it is not remembered. */
  hashNew(kind: string, text: string | Uint8Array): Uint8Array {
    return bytesOf(this.#hashText(kind, text))
  }

  /** All of the hash, one character a byte: a buffer would cost more than the hash, and lie in a block that it keeps alive. */
  #hashText(kind: string, text: string | Uint8Array): string {
    let key = this.#kinds.get(kind)
    if (key === undefined) {
      key = createSecretKey(
        Buffer.from(hkdfSync('sha256', this.#indexKey, '', `signet index ${kind}`, KEY_BYTES)),
      )
      this.#kinds.set(kind, key)
    }
    return createHmac('sha256', key).update(text).digest('latin1')
  }

  /** A key for another use that is as lasting as the index key (a salt of an engine, a token signature). `purpose` is a constant of the code. */
  derive(purpose: string): KeyObject {
    return createSecretKey(
      Buffer.from(hkdfSync('sha256', this.#indexKey, '', `signet derived ${purpose}`, KEY_BYTES)),
    )
  }

  /** All keys in the clear: only to be encrypted at once, then wiped. */
  serialise(): Buffer {
    const stored: StoredKeyring = {
      version: 1,
      index: this.#indexKey.export().toString('base64'),
      active: this.#active.term,
      terms: [...this.#terms.values()].map(({ term, key, installedAt }) => ({
        term,
        key: key.export().toString('base64'),
        installedAt,
      })),
    }
    return Buffer.from(JSON.stringify(stored))
  }
}

const keyFrom = (text: string): KeyObject => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES) throw new Error('a key of the keyring does not have 32 bytes')
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/** A new keyring: a random index key and term 1. `now` in ms since 1970. */
export const createKeyring = (now: number): Keyring =>
  new Keyring(
    createSecretKey(randomBytes(KEY_BYTES)),
    [{ term: 1, key: createSecretKey(randomBytes(KEY_BYTES)), installedAt: now }],
    1,
  )

/** The error of JSON.parse quotes what it read, which here is keys: it must go no further. */
const parseStored = (bytes: Uint8Array): StoredKeyring => {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as StoredKeyring
  } catch {
    throw new Error('the keyring is not JSON')
  }
}

/** The keyring of `serialise()`. Throws an Error that tells none of the contents when the form is not known. */
export const parseKeyring = (bytes: Uint8Array): Keyring => {
  const stored = parseStored(bytes)
  if (stored.version !== 1)
    throw new Error('the keyring has a form that this version does not know')
  return new Keyring(
    keyFrom(stored.index),
    stored.terms.map(({ term, key, installedAt }) => ({ term, key: keyFrom(key), installedAt })),
    stored.active,
  )
}
