import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderError, renderNoContent, renderSuccess } from './envelope.ts'

describe('the success envelope', () => {
  it('has every member, in the order of the wire', () => {
    assert.deepEqual(renderSuccess({ requestId: 'r' }), {
      status: 200,
      contentType: 'application/json',
      body: '{"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,"data":null,"wrap_info":null,"warnings":null,"auth":null}\n',
    })
  })

  it('orders data by bytes and leaves out what the wire leaves out', () => {
    const { body } = renderSuccess({
      requestId: 'r',
      leaseDurationSeconds: 60,
      data: { b: '<', a: 1 },
      warnings: ['w'],
      auth: {
        client_token: 't',
        accessor: 'a',
        policies: ['default'],
        token_policies: ['default'],
        identity_policies: [],
        metadata: null,
        lease_duration: 5,
        renewable: true,
        entity_id: '',
        token_type: 'service',
        orphan: false,
        mfa_requirement: null,
        num_uses: 0,
      },
      wrapInfo: {
        token: 'w',
        accessor: 'wa',
        ttl: 60,
        creation_time: 'now',
        creation_path: 'p',
        wrapped_accessor: '',
      },
      hints: [{ code: 'c', text: 'x' }],
    })
    assert.equal(
      body,
      '{"request_id":"r","lease_id":"","renewable":false,"lease_duration":60,"data":{"a":1,"b":"\\u003c"},' +
        '"wrap_info":{"token":"w","accessor":"wa","ttl":60,"creation_time":"now","creation_path":"p"},"warnings":["w"],' +
        '"auth":{"client_token":"t","accessor":"a","policies":["default"],"token_policies":["default"],"metadata":null,' +
        '"lease_duration":5,"renewable":true,"entity_id":"","token_type":"service","orphan":false,"mfa_requirement":null,' +
        '"num_uses":0},"hints":[{"code":"c","text":"x"}]}\n',
    )
  })

  it('copies data to the top where asked', () => {
    const { body } = renderSuccess({
      requestId: 'r',
      data: { 'secret/': { type: 'kv' }, data: 1 },
      copyDataToTop: true,
    })
    assert.match(String(body), /^\{"secret\/":\{"type":"kv"\},"request_id":"r"/)
    assert.equal(String(body).match(/"data":/g)?.length, 2)
    assert.doesNotThrow(() => JSON.parse(String(body)))
    const empty = renderSuccess({ requestId: 'r', data: {}, copyDataToTop: true })
    assert.match(String(empty.body), /^\{"request_id"/)
  })

  it('has no newline with a status of its own', () => {
    assert.doesNotMatch(String(renderSuccess({ requestId: 'r', status: 404 }).body), /\n/)
    assert.match(String(renderSuccess({ requestId: 'r', status: 202, newline: true }).body), /\n$/)
  })
})

describe('errors', () => {
  it('are lists of texts', () => {
    assert.equal(renderError(405, []).body, '{"errors":[]}\n')
    assert.equal(
      renderError(400, ['a <b>'], { data: { x: 1 }, hints: [{ code: 'c', text: 't' }] }).body,
      '{"errors":["a \\u003cb\\u003e"],"data":{"x":1},"hints":[{"code":"c","text":"t"}]}\n',
    )
  })
})

describe('no content', () => {
  it('carries hints in a header that nothing can break out of', () => {
    assert.equal(renderNoContent().headers, undefined)
    const { status, headers } = renderNoContent([
      { code: 'ignored-fields', text: 'x\r\nSet-Cookie: é' },
      { code: 'b', text: 'y' },
    ])
    assert.equal(status, 204)
    assert.equal(headers?.['Signet-Hint'], 'ignored-fields; x?Set-Cookie: ?, b; y')
  })
})
