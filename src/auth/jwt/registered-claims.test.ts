import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claims } from './claims.ts'
import type { Expected } from './registered-claims.ts'
import { checkRegisteredClaims, InvalidClaims } from './registered-claims.ts'

const NOW = 1_800_000_000

const nothing: Expected = {
  algorithms: [],
  issuer: '',
  subject: '',
  audiences: [],
  expirationLeeway: 0,
  notBeforeLeeway: 0,
  clockSkewLeeway: 0,
}

const fault = (
  claims: Claims,
  expected: Partial<Expected> = {},
  { alg = 'RS256', now = NOW }: { alg?: string; now?: number } = {},
): string => {
  try {
    checkRegisteredClaims(alg, claims, { ...nothing, ...expected }, now * 1000)
  } catch (error) {
    if (error instanceof InvalidClaims) return error.message
    throw error
  }
  return ''
}

const EXPIRED = 'invalid expiration time (exp) claim: token is expired'
const EARLY = 'invalid not before (nbf) claim: token not yet valid'
const FUTURE = 'invalid issued at (iat) claim: token issued in the future'
const ALGORITHM = 'invalid algorithm (alg) header parameter: token signed with unexpected algorithm'

describe('the times of a token', () => {
  it('are tolerated by the clock skew: 60 s, what the role says, or none when negative', () => {
    assert.equal(fault({ exp: NOW - 60 }), '')
    assert.equal(fault({ exp: NOW - 61 }), EXPIRED)
    assert.equal(fault({ exp: NOW - 5 }, { clockSkewLeeway: 5 }), '')
    assert.equal(fault({ exp: NOW - 6 }, { clockSkewLeeway: 5 }), EXPIRED)
    assert.equal(fault({ exp: NOW }, { clockSkewLeeway: -1 }), '')
    assert.equal(fault({ exp: NOW - 1 }, { clockSkewLeeway: -1 }), EXPIRED)
    assert.equal(fault({ exp: NOW + 9, nbf: NOW + 60 }), '')
    assert.equal(fault({ exp: NOW + 9, nbf: NOW + 61 }), EARLY)
    assert.equal(fault({ exp: NOW + 9, nbf: NOW, iat: NOW + 60 }), '')
    assert.equal(fault({ exp: NOW + 9, nbf: NOW, iat: NOW + 61 }), FUTURE)
  })

  it('without exp end after the latest of iat and nbf and the expiration leeway', () => {
    const strict = { clockSkewLeeway: -1 }
    assert.equal(fault({ iat: NOW - 150 }, strict), '')
    assert.equal(fault({ iat: NOW - 151 }, strict), EXPIRED)
    assert.equal(fault({ iat: NOW - 500, nbf: NOW - 150 }, strict), '')
    assert.equal(fault({ iat: NOW - 20 }, { ...strict, expirationLeeway: 20 }), '')
    assert.equal(fault({ iat: NOW - 21 }, { ...strict, expirationLeeway: 20 }), EXPIRED)
    assert.equal(fault({ iat: NOW }, { ...strict, expirationLeeway: -5 }), '')
    assert.equal(fault({ iat: NOW - 1 }, { ...strict, expirationLeeway: -5 }), EXPIRED)
  })

  it('without nbf begin at iat, else the not-before leeway before exp', () => {
    const strict = { clockSkewLeeway: -1 }
    assert.equal(fault({ exp: NOW + 900, iat: NOW + 1 }, strict), EARLY)
    assert.equal(fault({ exp: NOW + 150 }, strict), '')
    assert.equal(fault({ exp: NOW + 151 }, strict), EARLY)
    assert.equal(fault({ exp: NOW + 20 }, { ...strict, notBeforeLeeway: 20 }), '')
    assert.equal(fault({ exp: NOW + 21 }, { ...strict, notBeforeLeeway: 20 }), EARLY)
    assert.equal(fault({ exp: NOW + 1 }, { ...strict, notBeforeLeeway: -1 }), EARLY)
  })

  it('must be there, as numbers; a zero is 1970, not nothing', () => {
    assert.match(fault({}), /^no issued at/)
    assert.match(fault({ exp: null, iat: null }), /^no issued at/)
    assert.equal(fault({ exp: 0 }), EXPIRED)
    assert.equal(fault({ exp: NOW + 9, nbf: 0 }), '')
    assert.equal(fault({ exp: NOW + 9.9, iat: NOW - 0.5 }), '')
    for (const exp of ['4102444800', true, [], {}]) {
      assert.match(fault({ exp }), /NumericDate/)
    }
  })
})

describe('the registered claims', () => {
  const times = { exp: NOW + 60 }

  it('name the issuer and the subject that are asked for', () => {
    assert.equal(fault({ ...times, iss: 'a', sub: 'b' }, { issuer: 'a', subject: 'b' }), '')
    assert.equal(fault({ ...times, iss: 'A' }, { issuer: 'a' }), 'invalid issuer (iss) claim')
    assert.equal(fault(times, { issuer: 'a' }), 'invalid issuer (iss) claim')
    assert.equal(fault({ ...times, sub: 'c' }, { subject: 'b' }), 'invalid subject (sub) claim')
    assert.match(fault({ ...times, iss: 5 }), /^json: cannot unmarshal number .*Claims\.iss/)
    assert.match(fault({ ...times, sub: ['b'] }, { subject: 'b' }), /^json: cannot unmarshal array/)
  })

  it('name one of the audiences that are asked for', () => {
    const audience =
      'invalid audience (aud) claim: audience claim does not match any expected audience'
    assert.equal(fault({ ...times, aud: 'x' }, { audiences: ['y', 'x'] }), '')
    assert.equal(fault({ ...times, aud: ['z', 'x'] }, { audiences: ['y', 'x'] }), '')
    assert.equal(fault({ ...times, aud: ['z'] }, { audiences: ['y', 'x'] }), audience)
    assert.equal(fault({ ...times, aud: [] }, { audiences: ['x'] }), audience)
    assert.equal(fault(times, { audiences: ['x'] }), audience)
    assert.match(fault({ ...times, aud: [5] }, { audiences: ['x'] }), /unmarshal to Audience/)
  })

  it('come from a token of an allowed algorithm: all with public keys unless some are named', () => {
    for (const alg of ['RS256', 'ES512', 'PS384', 'EdDSA']) {
      assert.equal(fault(times, {}, { alg }), '')
    }
    for (const alg of ['none', 'HS256', '', 'rs256', 'toString']) {
      assert.equal(fault(times, {}, { alg }), ALGORITHM)
    }
    assert.equal(fault(times, { algorithms: ['ES256'] }, { alg: 'RS256' }), ALGORITHM)
    assert.equal(fault(times, { algorithms: ['ES256', 'RS256'] }, { alg: 'RS256' }), '')
  })

  it('are judged in one order: algorithm, issuer, subject, audience, times', () => {
    const expected = { algorithms: ['ES256'], issuer: 'i', subject: 's', audiences: ['a'] }
    assert.equal(fault({}, expected), ALGORITHM)
    const es = { alg: 'ES256' }
    assert.equal(fault({}, expected, es), 'invalid issuer (iss) claim')
    assert.equal(fault({ iss: 'i' }, expected, es), 'invalid subject (sub) claim')
    assert.match(fault({ iss: 'i', sub: 's' }, expected, es), /^invalid audience/)
    assert.match(fault({ iss: 'i', sub: 's', aud: 'a' }, expected, es), /^no issued at/)
  })
})
