import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CorsRules } from './cors.ts'
import { isCrossOrigin, judgeCors } from './cors.ts'

const rules: CorsRules = { origins: ['http://a.test'], headers: ['X-One'], credentials: true }

const judge = (method: string, headers: Record<string, string>, given: CorsRules | undefined) => {
  const verdict = judgeCors({ method, headers }, given)
  return 'answer' in verdict
    ? { status: verdict.answer.status, headers: verdict.answer.headers ?? {} }
    : { status: undefined, headers: verdict.headers }
}

describe('requests of pages of other origins', () => {
  it('are refused from origins that are not allowed', () => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, headers } = judge(method, { origin: 'http://evil.test' }, rules)
      assert.equal(status, 403)
      assert.equal(headers['Access-Control-Allow-Origin'], undefined)
    }
  })

  it('get the headers that let the page read the answer', () => {
    assert.deepEqual(judge('GET', { origin: 'http://a.test' }, rules), {
      status: undefined,
      headers: {
        'Access-Control-Allow-Origin': 'http://a.test',
        'Access-Control-Allow-Credentials': 'true',
        Vary: 'Origin',
      },
    })
    const any = { ...rules, origins: ['*'], credentials: false }
    const { headers } = judge('GET', { origin: 'http://b.test' }, any)
    assert.equal(headers['Access-Control-Allow-Origin'], 'http://b.test')
    assert.equal(headers['Access-Control-Allow-Credentials'], undefined)
  })

  it('are told beforehand what they may send', () => {
    const ask = (method: string) => ({
      origin: 'http://a.test',
      'access-control-request-method': method,
    })
    const { status, headers } = judge('OPTIONS', ask('PUT'), rules)
    assert.equal(status, 200)
    assert.equal(headers['Access-Control-Allow-Headers'], 'X-One')
    assert.match(
      headers['Access-Control-Allow-Methods']!,
      /^DELETE,GET,OPTIONS,POST,PUT,LIST,SCAN$/,
    )
    assert.equal(judge('OPTIONS', ask('ZAP'), rules).status, 405)
  })

  it('are nothing special without rules, without origin or outside the API', () => {
    assert.deepEqual(judge('OPTIONS', { origin: 'http://a.test' }, undefined), {
      status: undefined,
      headers: {},
    })
    assert.deepEqual(judge('GET', {}, rules), { status: undefined, headers: {} })
    assert.equal(isCrossOrigin({ headers: { origin: 'x' }, target: '/v1/sys/health' }), true)
    assert.equal(isCrossOrigin({ headers: { origin: 'x' }, target: '/ui/' }), false)
    assert.equal(isCrossOrigin({ headers: {}, target: '/v1/sys/health' }), false)
  })
})
