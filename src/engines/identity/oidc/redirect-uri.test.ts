import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allowsRedirect } from './redirect-uri.ts'

const REGISTERED = [
  'https://app.example/cb',
  'http://127.0.0.1/cb',
  'http://localhost:7777/cb?x=1',
  'http://[::1]/cb',
  'app:/cb',
]

describe('redirect URIs', () => {
  it('are taken as registered, and with any port on loopback hosts', () => {
    for (const uri of [
      ...REGISTERED,
      'http://127.0.0.1:9999/cb',
      'http://localhost/cb?x=1',
      'http://localhost:1/cb?x=1',
      'http://[::1]:65535/cb',
    ]) {
      assert.equal(allowsRedirect(REGISTERED, uri), true, uri)
    }
  })

  it('that almost match are refused', () => {
    for (const uri of [
      '',
      'https://app.example/cb/',
      'https://app.example/CB',
      'https://APP.example/cb',
      'https://app.example:443/cb',
      'https://app.example/cb?x=1',
      'https://app.example/cb#f',
      'https://app.example/cb\n',
      ' https://app.example/cb',
      'https://app.example/x/../cb',
      'https://app.example/%63b',
      'https://app.example.evil.example/cb',
      'https://app.example@evil.example/cb',
      'https://user@app.example/cb',
      'http://app.example/cb',
      'https://127.0.0.1/cb',
      'http://127.0.0.1:9999/cb/',
      'http://127.0.0.1:9999/cb?x=1',
      'http://127.0.0.1:9999@evil.example/cb',
      'http://127.0.0.1:80\\@evil.example/cb',
      'http://127.0.0.1.evil.example/cb',
      'http://127.0.0.1:x/cb',
      'http://127.0.0.1:/cb',
      'http://127.0.0.1:999999/cb',
      'http://127.0.0.2/cb',
      'http://2130706433/cb',
      'http://localhost/cb',
      'http://LOCALHOST:1/cb?x=1',
      'http://localhost.evil.example/cb?x=1',
      'http://localhost#@evil.example/cb?x=1',
      'http://[::1].evil.example/cb',
      'http://[0:0:0:0:0:0:0:1]/cb',
      'app:/cb/x',
      'app://localhost:1/cb',
    ]) {
      assert.equal(allowsRedirect(REGISTERED, uri), false, uri)
    }
  })
})
