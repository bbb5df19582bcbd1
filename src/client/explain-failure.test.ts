import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainFailure } from './explain-failure.ts'

const failure = (code: string, message = 'what the library says'): Error =>
  Object.assign(new Error(message), { code })

describe('a connection that fails', () => {
  it('is explained with what to do', () => {
    const cases: [string, string, RegExp][] = [
      ['ECONNREFUSED', 'http://h:1', /^No server at http:\/\/h:1: .*npm start/],
      ['ECONNREFUSED', 'https://h:1', /speaks http: export VAULT_ADDR='http:\/\/h:1'$/],
      ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'https://h:1', /it speaks http: export VAULT_ADDR='http:/],
      ['EPROTO', 'https://h:1', /it speaks http/],
      ['HPE_INVALID_CONSTANT', 'http://h:1', /if it speaks TLS: export VAULT_ADDR='https:/],
      ['ENOTFOUND', 'http://h:1', /cannot be resolved$/],
      ['ETIMEDOUT', 'http://h:1', /in time$/],
      ['EPIPE', 'http://h:1', /^No answer from http:\/\/h:1: what the library says$/],
    ]
    for (const [code, address, said] of cases) {
      const explained = explainFailure(failure(code), address)
      assert.match(explained.message, said, code)
      assert.equal(explained.code, code)
    }
  })

  it('names the flag for a certificate that is not trusted, and not the library', () => {
    const error = failure(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'self-signed certificate; try running Node.js with x',
    )
    assert.equal(
      explainFailure(error, 'https://h:1').message,
      'The certificate of https://h:1 is not trusted: self-signed certificate; name its CA with -ca-cert (VAULT_CACERT)',
    )
  })
})
