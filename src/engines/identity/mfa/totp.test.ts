import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { base32, matchingSteps, passcodeAt, stepOf } from './totp.ts'

// RFC 6238, appendix B. The keys for SHA-256 and SHA-512 are as long as their hashes (erratum 2866).
const KEYS = {
  SHA1: '12345678901234567890',
  SHA256: '12345678901234567890123456789012',
  SHA512: '1234567890123456789012345678901234567890123456789012345678901234',
} as const

const VECTORS: readonly (readonly [seconds: number, algorithm: keyof typeof KEYS, code: string])[] =
  [
    [59, 'SHA1', '94287082'],
    [59, 'SHA256', '46119246'],
    [59, 'SHA512', '90693936'],
    [1111111109, 'SHA1', '07081804'],
    [1111111109, 'SHA256', '68084774'],
    [1111111109, 'SHA512', '25091201'],
    [1111111111, 'SHA1', '14050471'],
    [1111111111, 'SHA256', '67062674'],
    [1111111111, 'SHA512', '99943326'],
    [1234567890, 'SHA1', '89005924'],
    [1234567890, 'SHA256', '91819424'],
    [1234567890, 'SHA512', '93441116'],
    [2000000000, 'SHA1', '69279037'],
    [2000000000, 'SHA256', '90698825'],
    [2000000000, 'SHA512', '38618901'],
    [20000000000, 'SHA1', '65353130'],
    [20000000000, 'SHA256', '77737706'],
    [20000000000, 'SHA512', '47863826'],
  ]

const parameters = (algorithm: keyof typeof KEYS, digits: number, skew = 0) => ({
  key: Buffer.from(KEYS[algorithm]).toString('base64'),
  algorithm,
  digits,
  period: 30,
  skew,
})

describe('passcodes', () => {
  it('are those of the vectors of RFC 6238', () => {
    for (const [seconds, algorithm, code] of VECTORS) {
      const totp = parameters(algorithm, 8)
      assert.equal(passcodeAt(totp, stepOf(totp, seconds * 1000)), code, `${seconds} ${algorithm}`)
      assert.equal(passcodeAt({ ...totp, digits: 6 }, stepOf(totp, seconds * 1000)), code.slice(2))
    }
  })

  it('match in their own period, and with skew in the one before and after', () => {
    const totp = parameters('SHA1', 6, 1)
    const now = 1_111_111_111_000
    const step = stepOf(totp, now)
    const code = passcodeAt(totp, step)
    for (const shift of [-1, 0, 1]) {
      assert.deepEqual(matchingSteps(totp, code, now + shift * 30_000), [step])
      assert.equal(
        matchingSteps({ ...totp, skew: 0 }, code, now + shift * 30_000).length,
        shift === 0 ? 1 : 0,
      )
    }
    assert.deepEqual(matchingSteps(totp, code, now + 60_000), [])
    assert.deepEqual(matchingSteps(totp, code, now - 60_000), [])
  })

  it('match as their digits alone: no other text means the same', () => {
    const totp = parameters('SHA1', 6)
    const code = passcodeAt(totp, stepOf(totp, 59_000))
    const wide = Array.from(code)
      .map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))
      .join('')
    for (const other of ['', `0${code}`, `${code}0`, code.slice(1), ` ${code}`, wide, `+${code}`]) {
      assert.deepEqual(matchingSteps(totp, other, 59_000), [], JSON.stringify(other))
    }
  })
})

describe('base32', () => {
  it('is that of RFC 4648 without padding', () => {
    const texts = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar']
    const encoded = ['', 'MY', 'MZXQ', 'MZXW6', 'MZXW6YQ', 'MZXW6YTB', 'MZXW6YTBOI']
    assert.deepEqual(
      texts.map((text) => base32(Buffer.from(text))),
      encoded,
    )
  })
})
