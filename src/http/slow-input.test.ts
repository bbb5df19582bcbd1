import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { field } from '../engine/field.ts'
import { DurationError, parseVaultDuration } from '../std/go-duration.ts'
import { interpret } from './interpret.ts'
import { httpLimits } from './limits.ts'
import { parseMediaType } from './media-type.ts'

/*
 * Texts that fill a request's head or body and once took seconds each, which anybody could send. A quadratic reader needs minutes for
 * these, so the tests need no clock.
 */
const LONG = 1_000_000

describe('input made to be slow', () => {
  it('is no slower in a Content-Type', () => {
    const spaces = ' '.repeat(LONG)
    const { error } = parseMediaType(`application/x-www-form-urlencoded; a=b${spaces}x`)
    assert.equal(error, 'mime: invalid media parameter')
    for (const end of ['', ';', ' ; ', '; c="d"  ']) {
      assert.equal(parseMediaType(`text/plain; a=b${end}`).type, 'text/plain')
    }
  })

  it('is no slower in a namespace', () => {
    const namespace = `/a${'/'.repeat(LONG)}b/`
    const judged = interpret(
      {
        method: 'GET',
        target: '/v1/sys/mounts',
        headers: { host: 'localhost', 'x-vault-namespace': namespace },
        body: new Uint8Array(0),
      },
      { remoteAddress: '127.0.0.1', remotePort: 1, requestId: 'id' },
      { limits: httpLimits },
    )
    assert.ok(!(judged instanceof Promise))
    assert.ok('request' in judged)
    assert.equal(judged.request.namespace.length, namespace.length - 1)
  })

  it('is no slower in numbers and durations, which say no more than how long they are', () => {
    const digits = '9'.repeat(30 * LONG)
    for (const text of [digits, `${digits}d`, `${digits}h`, `1.${digits}s`]) {
      assert.throws(
        () => parseVaultDuration(text),
        (error) => error instanceof DurationError && error.message.length < 200,
      )
    }
    assert.throws(() => field.int().coerce(digits), /value out of range/)
  })

  it('is no larger once a list of commas is cut up', () => {
    assert.throws(
      () => field.commaList().coerce('a,'.repeat(16 * LONG)),
      /more than 200000 elements/,
    )
    assert.equal(field.commaList().coerce(`${'a,'.repeat(199_999)}a`)!.length, 200_000)
  })
})
