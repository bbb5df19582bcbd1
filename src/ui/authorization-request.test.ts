import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseQuery } from '../http/parameters.ts'
import { answerUri, errorUri, readAuthorizationRequest } from './authorization-request.ts'

describe('the address of an answer', () => {
  it('is the registered one, letter by letter, with the answer behind', () => {
    const at = (redirectUri: string): string =>
      answerUri({ redirectUri, state: 's t' }, { code: 'c' })
    assert.equal(at('https://a/cb'), 'https://a/cb?code=c&state=s%20t')
    assert.equal(at('https://a/cb?x=1'), 'https://a/cb?x=1&code=c&state=s%20t')
    assert.equal(at('https://a/cb?'), 'https://a/cb?code=c&state=s%20t')
    assert.equal(at('https://a/cb#f'), 'https://a/cb?code=c&state=s%20t#f')
    assert.equal(at('app:/cb'), 'app:/cb?code=c&state=s%20t')
  })

  it('brings any state back as it was, and lets nothing in the answer change where it leads', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (state, text) => {
        const uri = errorUri({ redirectUri: 'https://a/cb', state }, 'invalid_request', text)
        assert.match(uri, /^https:\/\/a\/cb\?[\x21-\x7e]*$/)
        const { searchParams } = new URL(uri)
        assert.equal(searchParams.get('state') ?? '', state)
        assert.match(searchParams.get('error_description') ?? '', /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/)
      }),
    )
  })
})

describe('an authorization request', () => {
  it('with two clients or addresses has none, and with any other parameter twice is at fault', () => {
    const read = (query: string) => readAuthorizationRequest('p', parseQuery(query))
    assert.equal(read('client_id=a&client_id=b').clientId, '')
    assert.equal(read('redirect_uri=a&redirect_uri=a').redirectUri, '')
    for (const name of ['scope', 'state', 'nonce', 'prompt', 'max_age', 'login_hint']) {
      assert.equal(read(`${name}=1&${name}=1`).fault, `${name} parameter is there more than once`)
    }
    assert.equal(read('foo=1&foo=2').fault, undefined)
  })
})
