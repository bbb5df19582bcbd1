import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { askDuo, duoAuthorization, duoParameters } from './duo.ts'
import type { SeenRequest } from './fake-provider.ts'
import { startFakeProvider } from './fake-provider.ts'
import type { DuoMethod } from './records.ts'

const method: DuoMethod = {
  type: 'duo',
  id: '00000000-0000-4000-8000-000000000001',
  name: '',
  usernameFormat: '',
  secretKey: 'gtdfxv9YgVBYcF6dl2Eq17KUQJN2PLM2ODVTkvoT',
  integrationKey: 'DIWJ8X6AEYOR5OMC6TQ1',
  apiHostname: 'API-xxxxxxxx.duosecurity.com',
  pushInfo: 'from=signet&to=1',
  usePasscode: false,
}

const user = { name: 'bob (admin)', address: '192.0.2.7' }

/** What Duo itself does with a request: checks its signature over what arrived. */
const signed = (request: SeenRequest): boolean => {
  const parameters = request.verb === 'GET' ? request.query.toString() : request.body
  const text = [
    request.headers['date'],
    request.verb,
    request.host,
    request.path,
    parameters.replaceAll('+', '%20'),
  ].join('\n')
  const hash = createHmac('sha1', method.secretKey).update(text).digest('hex')
  const wanted = Buffer.from(`${method.integrationKey}:${hash}`).toString('base64')
  return request.headers.authorization === `Basic ${wanted}`
}

const ok = (response: unknown) => ({ body: JSON.stringify({ stat: 'OK', response }) })

const start = async (
  t: { after(end: () => Promise<void>): void },
  routes: Readonly<Record<string, (request: SeenRequest) => unknown>>,
) => {
  const provider = await startFakeProvider((request) => {
    if (!signed(request)) {
      const message = 'Invalid signature in request credentials'
      return { status: 401, body: JSON.stringify({ stat: 'FAIL', code: 40103, message }) }
    }
    return ok(routes[request.path]?.(request))
  })
  t.after(() => provider.close())
  return provider
}

describe('Duo', () => {
  it('requests are signed as its documentation shows', () => {
    // The worked example of Duo's Auth API documentation.
    const parameters = duoParameters({ username: 'root', realname: 'First Last' })
    assert.equal(parameters, 'realname=First%20Last&username=root')
    const authorization = duoAuthorization(
      {
        ...method,
        apiHostname: 'api-xxxxxxxx.duosecurity.com',
        secretKey: 'Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep',
      },
      {
        date: 'Tue, 21 Aug 2012 17:29:18 -0000',
        verb: 'POST',
        path: '/accounts/v1/account/list',
        parameters,
      },
    )
    assert.equal(
      Buffer.from(authorization.slice('Basic '.length), 'base64').toString(),
      'DIWJ8X6AEYOR5OMC6TQ1:2d97d6166319781b5a3a07af39d366f491234edc',
    )
  })

  it('says yes when the push is approved, after looking until it is', async (t) => {
    let looks = 0
    const { outside, seen } = await start(t, {
      '/auth/v2/preauth': () => ({ result: 'auth' }),
      '/auth/v2/auth': () => ({ txid: 'a-b-c' }),
      '/auth/v2/auth_status': () =>
        ++looks < 3
          ? { result: 'waiting', status: 'pushed' }
          : { result: 'allow', status: 'allow' },
    })
    await askDuo(outside, method, user, [])
    const form = new URLSearchParams(seen[1]!.body)
    assert.equal(form.get('username'), user.name)
    assert.equal(form.get('factor'), 'push')
    assert.equal(form.get('ipaddr'), user.address)
    assert.equal(form.get('pushinfo'), method.pushInfo)
    assert.equal(seen[2]!.query.get('txid'), 'a-b-c')
    assert.equal(looks, 3)
  })

  it('asks for a passcode where the method says so, and takes one in any case', async (t) => {
    const { outside, seen } = await start(t, {
      '/auth/v2/preauth': () => ({ result: 'auth' }),
      '/auth/v2/auth': ({ body }) =>
        new URLSearchParams(body).get('passcode') === '123456'
          ? { result: 'allow' }
          : { result: 'deny', status_msg: 'Incorrect passcode.' },
    })
    await askDuo(outside, { ...method, usePasscode: true }, user, ['passcode=123456'])
    await askDuo(outside, method, user, ['123456'])
    assert.equal(new URLSearchParams(seen[1]!.body).get('factor'), 'passcode')
    await assert.rejects(askDuo(outside, method, user, ['654321']), /Incorrect passcode/)
    const before = seen.length
    await assert.rejects(
      askDuo(outside, { ...method, usePasscode: true }, user, []),
      /MFA credentials not supplied or incorrect/,
    )
    assert.equal(seen.length, before)
  })

  it('says no to a denial, an unknown user, silence, and what is not signed with its keys', async (t) => {
    const verdicts = ['deny', 'enroll', '']
    for (const result of verdicts) {
      const { outside } = await start(t, { '/auth/v2/preauth': () => ({ result }) })
      await assert.rejects(askDuo(outside, method, user, []), /does not let this user in/)
    }
    const denied = await start(t, {
      '/auth/v2/preauth': () => ({ result: 'auth' }),
      '/auth/v2/auth': () => ({ txid: 'x' }),
      '/auth/v2/auth_status': () => ({ result: 'deny', status_msg: 'Login request denied.' }),
    })
    await assert.rejects(askDuo(denied.outside, method, user, []), /Login request denied/)
    const silent = await start(t, {
      '/auth/v2/preauth': () => ({ result: 'auth' }),
      '/auth/v2/auth': () => ({ txid: 'x' }),
      '/auth/v2/auth_status': () => ({ result: 'waiting' }),
    })
    await assert.rejects(askDuo(silent.outside, method, user, []), /nobody answered/)
    const other = { ...method, secretKey: 'another' }
    await assert.rejects(askDuo(silent.outside, other, user, []), /Invalid signature/)
  })
})
