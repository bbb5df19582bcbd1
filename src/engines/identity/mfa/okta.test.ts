import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeenRequest } from './fake-provider.ts'
import { startFakeProvider } from './fake-provider.ts'
import { askOkta } from './okta.ts'
import type { OktaMethod } from './records.ts'

const method: OktaMethod = {
  type: 'okta',
  id: '00000000-0000-4000-8000-000000000001',
  name: '',
  usernameFormat: '',
  orgName: 'acme',
  apiToken: 'secret-token',
  baseUrl: 'okta.com',
  production: false,
  primaryEmail: false,
}

const user = { name: 'bob@acme.example', address: '192.0.2.7' }
const FACTORS = '/api/v1/users/00u1/factors'
const push = { id: 'opf1', factorType: 'push', provider: 'OKTA', status: 'ACTIVE' }

/** An Okta whose push ends so. */
const start = async (
  t: { after(end: () => Promise<void>): void },
  results: readonly string[],
  more: { readonly factors?: readonly unknown[]; readonly poll?: string } = {},
) => {
  let looks = 0
  const provider = await startFakeProvider((request: SeenRequest, origin) => {
    if (request.headers.authorization !== 'SSWS secret-token') return { status: 401, body: '{}' }
    const state = () => {
      const factorResult = results[Math.min(looks++, results.length - 1)]
      const href = more.poll ?? `${origin}${FACTORS}/opf1/transactions/tx1`
      return JSON.stringify({ factorResult, _links: { poll: { href } } })
    }
    switch (`${request.verb} ${request.path}`) {
      case `GET /api/v1/users/${encodeURIComponent(user.name)}`:
        return { body: '{"id":"00u1"}' }
      case 'GET /api/v1/users':
        return {
          body:
            request.query.get('filter') === `profile.email eq "${user.name}"`
              ? '[{"id":"00u1"}]'
              : '[]',
        }
      case `GET ${FACTORS}`:
        return { body: JSON.stringify(more.factors ?? [{ factorType: 'sms' }, push]) }
      case `POST ${FACTORS}/opf1/verify`:
        return { status: 201, body: state() }
      case `GET ${FACTORS}/opf1/transactions/tx1`:
        return { body: state() }
      default:
        return { status: 404, body: '{"errorCode":"E0000007"}' }
    }
  })
  t.after(() => provider.close())
  return provider
}

describe('Okta', () => {
  it('says yes when the push is approved, by login and by e-mail address', async (t) => {
    const { outside, seen } = await start(t, ['WAITING', 'WAITING', 'SUCCESS'])
    await askOkta(outside, method, user)
    assert.equal(seen.length, 5)
    assert.ok(seen.every(({ host }) => host === 'acme.okta.com'))
    await askOkta(outside, { ...method, primaryEmail: true }, user)
    const preview = { ...method, baseUrl: '' }
    await askOkta(outside, preview, user)
    assert.equal(seen.at(-1)!.host, 'acme.oktapreview.com')
  })

  it('says no to a rejected, lapsed or unanswered push', async (t) => {
    for (const result of ['REJECTED', 'TIMEOUT', '']) {
      const { outside } = await start(t, ['WAITING', result])
      await assert.rejects(askOkta(outside, method, user), /Okta push failed/)
    }
    const { outside } = await start(t, ['WAITING'])
    await assert.rejects(askOkta(outside, method, user), /nobody answered/)
  })

  it('says no without a push factor, for an unknown user, and with a wrong token', async (t) => {
    const { outside } = await start(t, ['SUCCESS'], { factors: [{ factorType: 'sms' }] })
    await assert.rejects(askOkta(outside, method, user), /no push factor/)
    const nobody = { ...user, name: 'eve' }
    await assert.rejects(askOkta(outside, method, nobody), /refused the request \(404\)/)
    await assert.rejects(
      askOkta(outside, { ...method, primaryEmail: true }, nobody),
      /knows no single user/,
    )
    await assert.rejects(askOkta(outside, { ...method, apiToken: 'x' }, user), /\(401\)/)
  })

  it('takes its token nowhere else, whatever the answer says', async (t) => {
    const { outside, seen } = await start(t, ['WAITING', 'SUCCESS'], {
      poll: 'https://evil.example/api/v1/transactions/1',
    })
    await assert.rejects(askOkta(outside, method, user), /names no place to look/)
    assert.ok(seen.every(({ host }) => host === 'acme.okta.com'))
  })
})
