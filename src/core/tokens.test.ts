import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeyring } from '../barrier/keyring.ts'
import type { Ref } from '../engine/records.ts'
import { childRef, drawToken, EXPIRY_SHARDS, expiryRef, tokenKey } from './tokens.ts'

const names = createKeyring(0)

const drawKeys = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, () => tokenKey(names, drawToken().text))

/** What stands before the token's own key. */
const before = ({ key }: Ref<unknown>): string => Buffer.from(key.subarray(0, -16)).toString('hex')

describe('the places of tokens', () => {
  it('are side by side in the index of expiry for what is made in the same moment, in all shards over time', () => {
    const [one, other] = drawKeys(2)
    assert.equal(before(expiryRef(0, one!, 5_000_123)), before(expiryRef(0, other!, 5_000_123)))
    const shards = Array.from(
      { length: 3 * EXPIRY_SHARDS },
      (_, second) => expiryRef(0, one!, 1_000 * second + 7).key[6],
    )
    assert.deepEqual(
      [...new Set(shards)].toSorted((a, b) => a! - b!),
      Array.from({ length: EXPIRY_SHARDS }, (_, shard) => shard),
    )
  })

  it('are below the parent in the order of their birth', () => {
    const [parent, ...children] = drawKeys(20)
    const places = children.map((key, at) =>
      childRef(0, parent!, { key, record: { createdAt: 1_000 + at } }),
    )
    const keys = places.map(({ key }) => Buffer.from(key))
    assert.deepEqual(
      keys,
      keys.toSorted((a, b) => Buffer.compare(a, b)),
    )
  })
})
