import { randomBytes, randomInt } from 'node:crypto'

/*
 * Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial x^8+x^4+x^3+x+1. A share is the values
 * of all polynomials at its x, then x itself (1..255). The arithmetic uses no tables and no branches on secrets.
 * (The npm package shamir-secret-sharing has this form but indexes tables by secret bytes and cannot do a threshold of 1.)
 */

/** The product in GF(2^8); same time for all operands from 0 to 255. */
export const multiply = (left: number, right: number): number => {
  let product = 0
  let power = left
  for (let bit = 0; bit < 8; bit++) {
    product ^= power & -((right >> bit) & 1)
    power = (power << 1) ^ (0x11b & -(power >> 7))
  }
  return product
}

/** The inverse in GF(2^8), a^254; 0 for 0. */
export const invert = (value: number): number => {
  let inverse = 1
  for (let step = 0; step < 7; step++) {
    value = multiply(value, value)
    inverse = multiply(inverse, value)
  }
  return inverse
}

/** The xs of the shares: `count` different numbers from 1 to 255, chosen at random. */
const drawPlaces = (count: number): number[] => {
  const places = Array.from({ length: 255 }, (_, index) => index + 1)
  for (let index = 0; index < count; index++) {
    const other = randomInt(index, places.length)
    const place = places[index]!
    places[index] = places[other]!
    places[other] = place
  }
  return places.slice(0, count)
}

/** Shares of which any `threshold` give the secret back; each has one byte more. Throws RangeError unless 1 <= threshold <= shares <= 255. */
export const splitSecret = (secret: Uint8Array, shares: number, threshold: number): Buffer[] => {
  if (
    !Number.isInteger(shares) ||
    !Number.isInteger(threshold) ||
    threshold < 1 ||
    threshold > shares ||
    shares > 255
  ) {
    throw new RangeError('secret sharing needs 1 <= threshold <= shares <= 255')
  }
  if (secret.length === 0) throw new RangeError('an empty secret cannot be shared')
  const coefficients = Array.from({ length: threshold - 1 }, () => randomBytes(secret.length))
  const result = drawPlaces(shares).map((place) => {
    const share = Buffer.alloc(secret.length + 1)
    for (let at = 0; at < secret.length; at++) {
      let value = 0
      for (const coefficient of coefficients) value = multiply(value ^ coefficient[at]!, place)
      share[at] = value ^ secret[at]!
    }
    share[secret.length] = place
    return share
  })
  for (const coefficient of coefficients) coefficient.fill(0)
  return result
}

/**
 * The secret of a set of shares; too few or foreign shares give some other bytes, so whoever uses it must authenticate.
 * Throws RangeError for shares of different lengths, of under two bytes, with an x of 0 or the same x twice.
 */
export const combineShares = (shares: readonly Uint8Array[]): Buffer => {
  const length = shares[0]?.length ?? 0
  if (length < 2 || shares.some((share) => share.length !== length)) {
    throw new RangeError('shares must have the same length, of at least two bytes')
  }
  const places = shares.map((share) => share[length - 1]!)
  if (places.includes(0)) throw new RangeError('a share cannot stand at 0')
  if (new Set(places).size !== places.length) throw new RangeError('the same share was given twice')
  const secret = Buffer.alloc(length - 1)
  for (const [index, share] of shares.entries()) {
    let weight = 1
    for (const [other, place] of places.entries()) {
      if (other !== index)
        weight = multiply(weight, multiply(place, invert(place ^ places[index]!)))
    }
    for (let at = 0; at < secret.length; at++) secret[at]! ^= multiply(weight, share[at]!)
  }
  return secret
}
