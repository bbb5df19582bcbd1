import { keyText } from '../std/key-text.ts'
import type { Key, Version } from '../storage/store.ts'

export type { Version }

/**
 * Typed records over the store. Keys: `<prefix>/` + 4-byte namespace + fixed-width parts (settled.md 12);
 * names never stand in keys, only their HMACs (`Names`). Values are sealed by the barrier under the storage key.
 */
export interface RecordKind<T> {
  readonly prefix: string
  /** The record at these parts; every part has a width fixed for the kind (ids 16 bytes, hashes 16, accessors as `accessorPart`). */
  at(namespace: number, ...parts: readonly Uint8Array[]): Ref<T>
  /** The record whose key this is; one of this kind has had it. */
  atKey(key: Key): Ref<T>
  /** The range of all records whose key begins with these parts. */
  under(namespace: number, ...parts: readonly Uint8Array[]): RecordRange<T>
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** One record's place. `id` is the key as latin1, for maps. */
export interface Ref<T> {
  readonly kind: RecordKind<T>
  readonly key: Key
  readonly id: string
}

export interface RecordRange<T> {
  readonly kind: RecordKind<T>
  readonly from: Key
  readonly to: Key
  readonly prefixLength: number
}

/** Reads of one snapshot each; nothing is checked later. */
export interface Reader {
  get<T>(ref: Ref<T>): Promise<T | undefined>
  getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]>
  /** Whether each is there: a fraction of the cost of reading it. */
  exist(refs: readonly Ref<unknown>[]): Promise<readonly boolean[]>
}

/**
 * Inside `transact`: everything read is a check of the commit; nothing lists but what a record guards (architecture.md A1).
 * Sees its own writes. The function may run again after a conflict: no side effects in it but on `tx`.
 */
export interface Tx extends Reader {
  /** A read that informs nothing: no check. */
  peek<T>(ref: Ref<T>): Promise<T | undefined>
  /** The same for what reads through a Reader: for what only the answer shows. */
  readonly unchecked: Reader
  put<T>(ref: Ref<T>, value: T): void
  delete(ref: Ref<unknown>): void
  /** Puts a stamp (`st/…`), so that every transaction that read it conflicts. */
  stamp(name: StampName, namespace: number): void
  /** Reads a stamp: whoever puts it in between makes this transaction run again. */
  checkStamp(name: StampName, namespace: number): Promise<void>
  /**
   * Pages of a range of which every change puts the record `guard`: that record is checked at the end, also where the transaction
   * writes nothing, so all pages are of one instant, and no entry is a check of its own. Own writes do not show in it.
   */
  scan<T>(range: RecordRange<T>, guard: Ref<unknown>): AsyncIterable<readonly Scanned<T>[]>
}

export type StampName =
  | 'tree'
  | 'keyring'
  | 'incarnation'
  | 'mounts'
  | 'policies'
  | 'groups'
  | 'audit'

/** One entry of a scan that opens nothing. */
export type ScannedKey = Pick<Scanned<unknown>, 'key' | 'version'>

/** One entry of a scan; `tail` is what follows the range's prefix in the key. */
export interface Scanned<T> {
  readonly tail: Uint8Array
  readonly key: Key
  readonly version: Version
  readonly value: T
}

/** The records of a mount or of the server. */
export interface Records extends Reader {
  /**
   * As `getMany`, with damaged records taken for absent, and without keeping in the cache what was read: for what a list shows
   * beside its keys, never for a decision.
   */
  readonly undamaged: Pick<Reader, 'getMany'>
  /**
   * Runs `run` and commits what it put, once, with everything it read as checks; on a conflict runs it again
   * (at most 64 times, then 503). What it read is validated also when it throws or writes nothing (A4).
   */
  transact<T>(run: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Stays the same while nothing is committed anywhere, so that what was read after it was asked holds as long as it gives the same;
   * undefined where asking costs a trip to the store.
   */
  epoch(): Version | undefined
  /**
   * Between the commits of long work: waits while transactions of other requests are under way in this process, but only some ms, so
   * that they wait for one small commit at most, and the long work gets on nevertheless.
   */
  afterOthers(): Promise<void>
  /**
   * Pages of a range in key order, none of them empty, each one snapshot, at most 256 entries and 256 KiB: a range that fits into one
   * page is shown as it was at one instant. `after` is a tail.
   */
  scan<T>(
    range: RecordRange<T>,
    options?: { readonly after?: Uint8Array; readonly pageSize?: number },
  ): AsyncIterable<readonly Scanned<T>[]>
  /** The same without the values: a fraction of the cost, for who has most of them already. Damaged records are among them. */
  scanKeys(range: RecordRange<unknown>): AsyncIterable<readonly ScannedKey[]>
}

/** Hashes of names for keys: HMAC under the index key's sub-key of this kind; 16 bytes. Canonicalise (goLower) first. */
export interface Names {
  hash(kind: string, text: string): Uint8Array
  /** The same of a text that was drawn just now: of `hash`, what it remembers of recent texts would only be in the way. */
  hashNew(kind: string, text: string): Uint8Array
}

/** Every kind there is, by its prefix. */
const kinds = new Map<string, RecordKind<unknown>>()

/** The place of a key that a ref of this server had. Throws for any other (a bug, not bad input). */
export const refOfKey = (key: Key): Ref<unknown> => {
  const prefix = keyText(key).split('/', 1)[0]!
  const kind = kinds.get(prefix)
  if (kind === undefined) throw new Error(`no records have the prefix ${prefix}`)
  return kind.atKey(key)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A kind of record; the codec is plain JSON unless given. Prefixes are unique over the server (ARCHITECTURE.md lists them). */
export const recordKind = <T>(
  prefix: string,
  codec: { encode(value: T): Uint8Array; decode(bytes: Uint8Array): T } = {
    // A small buffer is part of a larger block; what TextEncoder makes has one of its own.
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  },
): RecordKind<T> => {
  const head = encoder.encode(`${prefix}/`)
  const keyOf = (namespace: number, parts: readonly Uint8Array[]): Uint8Array => {
    let length = head.length + 4
    for (const part of parts) length += part.length
    const key = new Uint8Array(length)
    key.set(head)
    let offset = head.length
    key[offset++] = namespace >>> 24
    key[offset++] = namespace >>> 16
    key[offset++] = namespace >>> 8
    key[offset++] = namespace
    for (const part of parts) {
      key.set(part, offset)
      offset += part.length
    }
    return key
  }
  const kind: RecordKind<T> = {
    prefix,
    at: (namespace, ...parts) => kind.atKey(keyOf(namespace, parts)),
    atKey: (key) => ({ kind, key, id: keyText(key) }),
    under: (namespace, ...parts) => {
      const from = keyOf(namespace, parts)
      return { kind, from, to: successor(from), prefixLength: from.length }
    },
    encode: (value) => codec.encode(value),
    decode: (bytes) => codec.decode(bytes),
  }
  kinds.set(prefix, kind as RecordKind<unknown>)
  return kind
}

const NO_BYTES = new Uint8Array(0)

/** A kind of record of which all that is to be known is that it is there, and its version. */
export const markKind = (prefix: string): RecordKind<undefined> =>
  recordKind<undefined>(prefix, { encode: () => NO_BYTES, decode: () => undefined })

/** The first key after all keys that begin with `prefix`. */
export const successor = (prefix: Uint8Array): Uint8Array => {
  let end = prefix.length
  while (end > 0 && prefix[end - 1] === 0xff) end--
  if (end === 0) return new Uint8Array(512).fill(0xff)
  const next = prefix.slice(0, end)
  next[end - 1]! += 1
  return next
}

/** Values of hexadecimal digits (lower case) by their code; 255 for all else. */
const NIBBLES = new Uint8Array(256).fill(255)
for (let digit = 0; digit < 16; digit++) NIBBLES[digit.toString(16).charCodeAt(0)] = digit

const HYPHEN = 0x2d

/** The 16 bytes of an id in its one written form (lower case, 8-4-4-4-12); undefined for anything else: nothing is stored there. */
export const idBytes = (id: string): Uint8Array | undefined => {
  if (id.length !== 36) return undefined
  const bytes = new Uint8Array(16)
  let seen = 0
  for (let at = 0, to = 0; at < 36; to++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (id.charCodeAt(at++) !== HYPHEN) return undefined
    }
    const high = NIBBLES[id.charCodeAt(at++)] ?? 255
    const low = NIBBLES[id.charCodeAt(at++)] ?? 255
    seen |= high | low
    bytes[to] = (high << 4) | low
  }
  return seen > 15 ? undefined : bytes
}

/** Bytes of an id that we wrote ourselves; throws for one that never came from here (a bug, not bad input). */
export const ownIdBytes = (id: string): Uint8Array => {
  const bytes = idBytes(id)
  if (bytes === undefined) throw new Error(`not an id: ${id}`)
  return bytes
}

/** Places that `placesById` remembers of a kind, twice: those lately asked for. */
const REMEMBERED_PLACES = 512

/**
 * Where records of a kind are whose key is an id that we wrote ourselves (see `ownIdBytes`). A request asks for the same places
 * several times, and many requests for the same: they are remembered.
 */
export const placesById = <T>(kind: RecordKind<T>): ((namespace: number, id: string) => Ref<T>) => {
  const make = (namespace: number, id: string): Ref<T> => kind.at(namespace, ownIdBytes(id))
  let of = 0
  let recent = new Map<string, Ref<T>>()
  let before = new Map<string, Ref<T>>()
  return (namespace, id) => {
    if (namespace !== of) {
      of = namespace
      recent = new Map()
      before = new Map()
    }
    const known = recent.get(id)
    if (known !== undefined) return known
    const place = before.get(id) ?? make(namespace, id)
    if (recent.size >= REMEMBERED_PLACES) {
      before = recent
      recent = new Map()
    }
    recent.set(id, place)
    return place
  }
}

/** The written form of 16 bytes. */
export const idText = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
