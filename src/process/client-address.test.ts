import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ForwardedFor } from '../config/server-config.ts'
import type { HttpRequest } from '../http/request.ts'
import { withForwardedFor } from './client-address.ts'

const rules: ForwardedFor = {
  authorized: ['10.0.0.0/8'],
  hopSkips: 0,
  rejectNotPresent: true,
  rejectNotAuthorized: true,
}

const ask = async (
  change: Partial<ForwardedFor>,
  remoteAddress: string,
  header: string | readonly string[] | undefined,
): Promise<string> => {
  const handle = withForwardedFor({ ...rules, ...change }, async (request) => ({
    status: 200,
    body: request.remoteAddress,
  }))
  const answer = await handle({
    remoteAddress,
    headers: { 'x-forwarded-for': header },
  } as unknown as HttpRequest)
  return `${answer.status} ${String(answer.body).trim()}`
}

describe('X-Forwarded-For', () => {
  it('is not looked at without authorised proxies', async () => {
    assert.equal(await ask({ authorized: [] }, '1.2.3.4', '9.9.9.9'), '200 1.2.3.4')
  })

  it('names the client behind an authorised proxy, the nearest hop unless told otherwise', async () => {
    assert.equal(await ask({}, '10.1.1.1', '9.9.9.9, 8.8.8.8'), '200 8.8.8.8')
    assert.equal(await ask({ hopSkips: 1 }, '10.1.1.1', ['9.9.9.9', '8.8.8.8']), '200 9.9.9.9')
  })

  it('is refused from others, when missing, and when too short, as configured', async () => {
    assert.match(await ask({}, '1.2.3.4', '9.9.9.9'), /^400 .*not authorized for x-forwarded-for/)
    assert.equal(await ask({ rejectNotAuthorized: false }, '1.2.3.4', '9.9.9.9'), '200 1.2.3.4')
    assert.match(await ask({}, '10.1.1.1', undefined), /^400 .*missing x-forwarded-for/)
    assert.equal(await ask({ rejectNotPresent: false }, '10.1.1.1', undefined), '200 10.1.1.1')
    assert.match(await ask({ hopSkips: 2 }, '10.1.1.1', '9.9.9.9'), /^400 .*\(2\).*chain length 1/)
  })
})
