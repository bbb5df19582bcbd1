import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { combineShares, invert, multiply, splitSecret } from './shamir.ts'

/** The product by definition: carry-less multiplication, then the remainder by x^8+x^4+x^3+x+1. */
const slowProduct = (left: number, right: number): number => {
  let product = 0
  for (let bit = 0; bit < 8; bit++) if ((right >> bit) & 1) product ^= left << bit
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11b << (bit - 8)
  return product
}

/** All sets of `size` of the items. */
const choices = <T>(items: readonly T[], size: number): T[][] => {
  if (size === 0) return [[]]
  return items.flatMap((item, at) =>
    choices(items.slice(at + 1), size - 1).map((rest) => [item, ...rest]),
  )
}

describe('arithmetic in GF(2^8)', () => {
  it('agrees with the examples of FIPS 197', () => {
    assert.equal(multiply(0x57, 0x83), 0xc1)
    assert.equal(multiply(0x57, 0x13), 0xfe)
    assert.equal(multiply(0x57, 0x02), 0xae)
    assert.equal(invert(0x53), 0xca)
  })

  it('is that of the polynomial for all operands', () => {
    for (let left = 0; left < 256; left++) {
      for (let right = 0; right < 256; right++) {
        assert.equal(multiply(left, right), slowProduct(left, right))
      }
      assert.equal(multiply(left, invert(left)), left === 0 ? 0 : 1)
    }
  })
})

describe('known shares', () => {
  // The secret 42 with the polynomial 42 + 03·x, worked out by hand.
  const line = [
    [0x41, 1],
    [0x44, 2],
    [0x47, 3],
    [0x4e, 4],
  ].map((share) => Uint8Array.from(share))

  it('give the secret of their polynomial back', () => {
    for (const pair of choices(line, 2)) assert.deepEqual(combineShares(pair), Buffer.of(0x42))
    for (const three of choices(line, 3)) assert.deepEqual(combineShares(three), Buffer.of(0x42))
  })

  it('give each byte back on its own', () => {
    // Secrets 00 and ff with 01·x + 02·x² and 80·x + ff·x².
    const value = (secret: number, first: number, second: number, x: number) =>
      secret ^ slowProduct(first, x) ^ slowProduct(second, slowProduct(x, x))
    const shares = [7, 200, 255].map((x) =>
      Uint8Array.of(value(0x00, 1, 2, x), value(0xff, 0x80, 0xff, x), x),
    )
    assert.deepEqual(combineShares(shares), Buffer.of(0x00, 0xff))
  })
})

describe('splitting', () => {
  it('gives the secret back from any t of n shares, in any order', () => {
    for (const [n, t] of [
      [1, 1],
      [2, 2],
      [3, 1],
      [5, 3],
      [6, 2],
      [6, 6],
    ] as const) {
      const secret = randomBytes(32)
      const shares = splitSecret(secret, n, t)
      assert.equal(shares.length, n)
      for (const some of choices(shares, t)) {
        assert.deepEqual(combineShares(some), secret)
        assert.deepEqual(combineShares(some.toReversed()), secret)
      }
      assert.deepEqual(combineShares(shares), secret)
    }
  })

  it('works for secrets of any length and for the most shares there can be', () => {
    const secret = fc.uint8Array({ minLength: 1, maxLength: 70 })
    fc.assert(
      fc.property(secret, fc.integer({ min: 2, max: 12 }), (bytes, threshold) => {
        const shares = splitSecret(bytes, 12, threshold)
        assert.deepEqual(combineShares(shares.slice(12 - threshold)), Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
    const shares = splitSecret(Buffer.of(1, 2), 255, 255)
    assert.deepEqual(combineShares(shares), Buffer.of(1, 2))
  })

  it('puts each share at a place of its own, never at 0, in no fixed order', () => {
    const places = splitSecret(randomBytes(4), 255, 2).map((share) => share[4]!)
    assert.deepEqual(
      places.toSorted((a, b) => a - b),
      Array.from({ length: 255 }, (_, index) => index + 1),
    )
    const first = Array.from({ length: 200 }, () => splitSecret(Buffer.of(1), 2, 2)[0]![1])
    assert.ok(new Set(first).size > 50)
  })

  it('tells nothing by t-1 shares: each secret fits them equally well', () => {
    for (const threshold of [2, 3, 5]) {
      const shares = splitSecret(Buffer.of(0xa5), threshold, threshold)
      const known = shares.slice(1)
      const place = shares[0]![1]!
      const secrets = Array.from({ length: 256 }, (_, guess) =>
        combineShares([Uint8Array.of(guess, place), ...known]).readUInt8(0),
      )
      assert.equal(new Set(secrets).size, 256)
    }
  })

  it('spreads the bytes of a share evenly, whatever the secret', () => {
    for (const [secret, threshold] of [
      [0x00, 2],
      [0xff, 3],
    ] as const) {
      const length = 65_536
      const [share] = splitSecret(Buffer.alloc(length, secret), threshold, threshold)
      const counts = Array.from({ length: 256 }, () => 0)
      for (const byte of share!.subarray(0, length)) counts[byte]! += 1
      const chiSquare = counts.reduce((sum, count) => sum + (count - 256) ** 2 / 256, 0)
      // 255 degrees of freedom: beyond 400 about once in ten million runs.
      assert.ok(chiSquare < 400, `chi square is ${chiSquare}`)
    }
  })

  it('differs from time to time', () => {
    const secret = randomBytes(32)
    const [one, other] = [splitSecret(secret, 3, 2), splitSecret(secret, 3, 2)]
    assert.notDeepEqual(one, other)
    const stranger = other.find((share) => share[32] !== one[0]![32])!
    assert.notDeepEqual(combineShares([one[0]!, stranger]), secret)
  })

  it('gives other bytes for fewer shares than the threshold', () => {
    const secret = randomBytes(32)
    const shares = splitSecret(secret, 5, 3)
    for (const pair of choices(shares, 2)) assert.notDeepEqual(combineShares(pair), secret)
  })

  it('refuses impossible numbers and an empty secret', () => {
    for (const [n, t] of [
      [0, 0],
      [2, 0],
      [2, 3],
      [256, 2],
      [2.5, 2],
      [3, Number.NaN],
    ] as const) {
      assert.throws(() => splitSecret(Buffer.of(1), n, t), RangeError)
    }
    assert.throws(() => splitSecret(new Uint8Array(0), 3, 2), RangeError)
  })
})

describe('combining', () => {
  it('refuses what cannot be a set of shares', () => {
    const refused: readonly (readonly Uint8Array[])[] = [
      [],
      [Uint8Array.of(1)],
      [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)],
      [Uint8Array.of(1, 2), Uint8Array.of(9, 2)],
      [Uint8Array.of(1, 2), Uint8Array.of(9, 0)],
    ]
    for (const shares of refused) assert.throws(() => combineShares(shares), RangeError)
  })
})
