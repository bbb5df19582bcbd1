import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BarrierBroken } from './barrier-broken.ts'
import { createKeyring, parseKeyring } from './keyring.ts'
import { Sealer, SEAL_OVERHEAD } from './sealer.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const KEY = bytes('e/\0\0\0\u0001key')
const HEADER_BYTES = 29

/** How a refusal must look: the key in hex, and nothing of the contents. */
const broken = (key: Uint8Array, why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BarrierBroken)
  assert.match(error.message, why)
  assert.ok(error.message.includes(Buffer.from(key).toString('hex')))
  assert.ok(!error.message.includes(Buffer.from(key).toString('latin1')))
  assert.ok(!error.message.includes('plain text'))
  assert.deepEqual(error.key, key)
  return true
}

describe('a sealed value', () => {
  it('opens to its contents, whatever they are, and tells their length alone', () => {
    const sealer = new Sealer(createKeyring(0))
    const other = fc.uint8Array({ minLength: 1, maxLength: 512 })
    fc.assert(
      fc.property(other, fc.uint8Array({ maxLength: 3_000 }), (key, value) => {
        const sealed = sealer.seal(key, value)
        assert.equal(sealed.length, value.length + SEAL_OVERHEAD)
        assert.deepEqual(Buffer.from(sealer.open(key, sealed) as Uint8Array), Buffer.from(value))
      }),
    )
  })

  it('is different each time', () => {
    const sealer = new Sealer(createKeyring(0))
    const sealed = Array.from({ length: 100 }, () => Buffer.from(sealer.seal(KEY, bytes('same'))))
    assert.equal(new Set(sealed.map((one) => one.toString('hex', HEADER_BYTES))).size, 100)
  })

  it('hides its contents', () => {
    const value = bytes('plain text that must not be seen')
    const sealed = Buffer.from(new Sealer(createKeyring(0)).seal(KEY, value))
    for (let at = 0; at + 4 <= value.length; at++) {
      assert.equal(sealed.indexOf(value.subarray(at, at + 4)), -1)
    }
  })

  it('is refused when any byte of it changed', () => {
    const sealer = new Sealer(createKeyring(0))
    const sealed = sealer.seal(KEY, bytes('plain text'))
    for (let at = 0; at < sealed.length; at++) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = Buffer.from(sealed)
        changed[at]! ^= flip
        // A changed term is one that the keyring has not learned of.
        if (at >= 1 && at < 5) assert.equal(sealer.open(KEY, changed), 'unknown-term')
        else assert.throws(() => sealer.open(KEY, changed), broken(KEY, /changed|not a sealed/))
      }
    }
  })

  it('is refused when it is cut or lengthened', () => {
    const sealer = new Sealer(createKeyring(0))
    const sealed = sealer.seal(KEY, bytes('plain text'))
    for (let length = 0; length < sealed.length; length++) {
      assert.throws(() => sealer.open(KEY, sealed.subarray(0, length)), broken(KEY, /./))
    }
    assert.throws(
      () => sealer.open(KEY, Buffer.concat([sealed, Buffer.of(0)])),
      broken(KEY, /changed/),
    )
    assert.throws(() => sealer.open(KEY, bytes('plain text')), broken(KEY, /not a sealed value/))
    assert.throws(() => sealer.open(KEY, new Uint8Array(0)), broken(KEY, /not a sealed value/))
  })

  it('is refused under another key, even one that only begins alike', () => {
    const sealer = new Sealer(createKeyring(0))
    const sealed = sealer.seal(KEY, bytes('plain text'))
    for (const other of [
      bytes('e/\0\0\0\u0001kez'),
      KEY.subarray(0, 8),
      bytes('x'),
      Buffer.concat([KEY, KEY]),
    ]) {
      assert.throws(() => sealer.open(other, sealed), broken(other, /moved/))
    }
  })

  it('is refused by another barrier', () => {
    const sealed = new Sealer(createKeyring(0)).seal(KEY, bytes('plain text'))
    assert.throws(
      () => new Sealer(createKeyring(0)).open(KEY, sealed),
      broken(KEY, /another barrier/),
    )
  })

  it('opens in another process that has the keyring, and after many others', () => {
    const keyring = createKeyring(0)
    const reader = new Sealer(parseKeyring(keyring.serialise()))
    // More writers than subkeys are cached.
    const sealed = Array.from({ length: 4_200 }, () => new Sealer(keyring).seal(KEY, bytes('x')))
    for (const one of [...sealed, ...sealed.slice(0, 50)]) {
      assert.deepEqual(Buffer.from(reader.open(KEY, one) as Uint8Array), Buffer.from('x'))
    }
  })

  it('keeps opening under the terms of before', () => {
    const keyring = createKeyring(0)
    const sealer = new Sealer(keyring)
    const old = sealer.seal(KEY, bytes('old'))
    const next = keyring.rotate(1)
    keyring.adopt(next)
    const fresh = Buffer.from(sealer.seal(KEY, bytes('new')))
    assert.deepEqual([Buffer.from(old).readUInt32BE(1), fresh.readUInt32BE(1)], [1, 2])
    const reader = new Sealer(next)
    assert.deepEqual(
      [old, fresh].map((one) => Buffer.from(reader.open(KEY, one) as Uint8Array).toString()),
      ['old', 'new'],
    )
  })
})

describe('nonces', () => {
  it('never repeat under one subkey, over sealers, rotations and processes', async () => {
    const keyring = createKeyring(0)
    const text = Buffer.from(keyring.serialise()).toString('base64')
    const child = fileURLToPath(new URL('sealer-child.ts', import.meta.url))
    const fromChildren = await Promise.all(
      [1, 2].map(async () => {
        const process = fork(child, { execArgv: [] })
        process.send({ keyring: text, count: 300 })
        const [headers] = (await once(process, 'message')) as [string[]]
        return headers
      }),
    )
    const headers = fromChildren.flat()
    const own = new Sealer(keyring)
    for (let round = 0; round < 3; round++) {
      for (const sealer of [own, new Sealer(keyring)]) {
        for (let count = 0; count < 100; count++) {
          headers.push(Buffer.from(sealer.seal(KEY, KEY)).toString('hex', 0, HEADER_BYTES))
        }
      }
      keyring.adopt(keyring.rotate(round))
    }
    assert.equal(new Set(headers).size, 1_200)
    // Term and salt: two processes, and two sealers for each of three terms.
    assert.equal(new Set(headers.map((header) => header.slice(0, 42))).size, 2 + 6)
  })

  it('count up from 0 in each header', () => {
    const sealer = new Sealer(createKeyring(0))
    for (let count = 0; count < 300; count++) {
      const header = Buffer.from(sealer.seal(KEY, KEY)).subarray(0, HEADER_BYTES)
      assert.equal(header.readBigUInt64BE(21), BigInt(count))
    }
  })
})
