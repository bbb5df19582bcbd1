import assert from 'node:assert/strict'
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createKeyring, Keyring, parseKeyring } from './keyring.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The names of some texts, which must never change. */
const namesOf = (keyring: Keyring): string[] =>
  ['alice', '', 'ä', 'alice'.repeat(2_000)].map((text) => hex(keyring.hash('entity', text)))

describe('the keyring', () => {
  it('begins with term 1 and adds one at each rotation', () => {
    const first = createKeyring(1_000)
    assert.deepEqual([first.active.term, first.active.installedAt], [1, 1_000])
    const third = first.rotate(2_000).rotate(3_000)
    assert.deepEqual([third.active.term, third.active.installedAt], [3, 3_000])
    assert.deepEqual(
      [1, 2, 3].map((term) => third.term(term)?.installedAt),
      [1_000, 2_000, 3_000],
    )
    assert.equal(third.term(4), undefined)
    assert.equal(first.active.term, 1)
    const keys = [1, 2, 3].map((term) => hex(third.term(term)!.key.export()))
    assert.equal(new Set(keys).size, 3)
  })

  it('survives being written and read', () => {
    const keyring = createKeyring(1).rotate(2)
    const again = parseKeyring(keyring.serialise())
    assert.equal(again.active.term, 2)
    for (const term of [1, 2]) {
      assert.ok(again.term(term)!.key.equals(keyring.term(term)!.key))
      assert.equal(again.term(term)!.installedAt, keyring.term(term)!.installedAt)
    }
    assert.deepEqual(namesOf(again), namesOf(keyring))
    assert.ok(again.derive('salt').equals(keyring.derive('salt')))
    assert.deepEqual(again.serialise(), keyring.serialise())
  })

  it('is refused in a form that is not known, without telling its contents', () => {
    const stored = JSON.parse(createKeyring(1).serialise().toString()) as Record<string, unknown>
    const changed = (change: object) => Buffer.from(JSON.stringify({ ...stored, ...change }))
    const secret = String(stored['index']).slice(0, 8)
    for (const form of [
      changed({ version: 2 }),
      changed({ index: 'c2hvcnQ=' }),
      changed({ active: 7 }),
      Buffer.from(`{"index":"${secret}`),
      Buffer.from(`{"index":${secret}`),
      Buffer.from(secret),
    ]) {
      assert.throws(
        () => parseKeyring(form),
        (error) => {
          assert.ok(error instanceof Error)
          assert.ok(!error.message.includes(secret))
          return true
        },
      )
    }
  })
})

describe('adopting', () => {
  it('takes the newer terms of the same keyring', () => {
    const keyring = createKeyring(1)
    const names = namesOf(keyring)
    keyring.adopt(parseKeyring(keyring.rotate(2).rotate(3).serialise()))
    assert.equal(keyring.active.term, 3)
    assert.equal(keyring.term(2)?.installedAt, 2)
    assert.deepEqual(namesOf(keyring), names)
  })

  it('is not set back by an older form that comes late', () => {
    const keyring = createKeyring(1)
    const older = parseKeyring(keyring.serialise())
    keyring.adopt(keyring.rotate(2))
    keyring.adopt(older)
    assert.equal(keyring.active.term, 2)
    assert.ok(keyring.term(2) !== undefined)
  })

  it('refuses a keyring of another barrier', () => {
    const keyring = createKeyring(1)
    assert.throws(() => keyring.adopt(createKeyring(1).rotate(2)), /index key differs/)
    assert.equal(keyring.active.term, 1)
  })
})

describe('names', () => {
  it('are 16 bytes of HMAC-SHA256 under a sub-key of their kind', () => {
    const index = createSecretKey(Buffer.alloc(32, 7))
    const term = { term: 1, key: createSecretKey(Buffer.alloc(32, 8)), installedAt: 0 }
    const keyring = new Keyring(index, [term], 1)
    const key = Buffer.from(hkdfSync('sha256', index, '', 'signet index entity', 32))
    const hash = createHmac('sha256', key).update('alice').digest()
    assert.equal(hex(keyring.hash('entity', 'alice')), hex(hash.subarray(0, 16)))
    assert.equal(hex(keyring.hash('entity', Buffer.from('alice'))), hex(hash.subarray(0, 16)))
  })

  it('do not match across kinds, texts or barriers', () => {
    const [one, other] = [createKeyring(1), createKeyring(1)]
    const names = [
      one.hash('entity', 'alice'),
      one.hash('entity', 'Alice'),
      one.hash('entity', 'alice '),
      one.hash('alias', 'alice'),
      one.hash('entityalice', ''),
      other.hash('entity', 'alice'),
    ].map(hex)
    assert.equal(new Set(names).size, names.length)
    assert.ok(!one.derive('a').equals(one.derive('b')))
    assert.ok(!one.derive('a').equals(other.derive('a')))
  })

  it('stay what they are when the keyring rotates', () => {
    const keyring = createKeyring(1)
    assert.deepEqual(namesOf(keyring.rotate(2)), namesOf(keyring))
  })
})
