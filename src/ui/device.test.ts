import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Browser, Shown } from './testing.ts'
import { makeClient, startUi } from './testing.ts'

type Context = { after(end: () => Promise<void>): void }

const setUp = async (t: Context) => {
  const server = await startUi()
  t.after(() => server.stop())
  const client = await makeClient(server, 'tv', { device_code: true })
  const credentials = { client_id: client.client_id, client_secret: client.client_secret }
  const device = (await server.write('identity/oidc/provider/default/device_authorization', {
    ...credentials,
    scope: 'openid',
  })) as Record<string, string>
  const poll = () =>
    server.ask('update', 'identity/oidc/provider/default/token', {
      ...credentials,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device['device_code']!,
    })
  const path = new URL(device['verification_uri_complete']!)
  return { server, device, poll, path: `${path.pathname}${path.search}` }
}

const open = async (browser: Browser, path: string): Promise<Shown> => {
  const done = await browser.submit(await browser.get(path), '/ui/sign-in', {
    other: 'userpass',
    username: 'alice',
    password: 'pw',
  })
  assert.equal(done.location, path)
  return browser.get(path)
}

const lookUp = (browser: Browser, shown: Shown, code: string): Promise<Shown> =>
  browser.submit(shown, '/ui/device', { user_code: code })

const decide = (browser: Browser, shown: Shown, decision: string): Promise<Shown> =>
  browser.submit(shown, '/ui/device', { decision })

describe('the device page', () => {
  it('shows client and place, and lets the device in', async (t) => {
    const { server, device, poll, path } = await setUp(t)
    const browser = server.browser()
    const code = device['user_code']!
    const shown = await open(browser, path)
    assert.ok(shown.body.includes(`value="${code}"`))
    const asked = await lookUp(server.elsewhere(browser), shown, code.toLowerCase())
    assert.match(asked.body, /<bdi>tv<\/bdi>/)
    assert.match(asked.body, /<bdi>127\.0\.0\.1<\/bdi>/)
    assert.match(asked.body, new RegExp(`<code>${code}</code>`))
    assert.match((await decide(browser, asked, 'approve')).body, /The device is let in/)
    await server.forward(6_000)
    const reply = await poll()
    assert.ok(reply.kind === 'raw' && reply.status === 200, JSON.stringify(reply))
  })

  it('turns the device away', async (t) => {
    const { server, device, poll, path } = await setUp(t)
    const browser = server.browser()
    const asked = await lookUp(browser, await open(browser, path), device['user_code']!)
    assert.match((await decide(browser, asked, 'deny')).body, /turned away/)
    await server.forward(6_000)
    const reply = await poll()
    assert.ok(reply.kind === 'raw' && reply.body.includes('access_denied'), JSON.stringify(reply))
  })

  it('tells nothing of codes that are wrong, and stops guesses', async (t) => {
    const { server, device, path } = await setUp(t)
    const browser = server.browser()
    const shown = await open(browser, path)
    for (const code of ['BCDF-GHJK', 'BCDF-GHJL', 'BCDF-GHJM', 'BCDF-GHJN', 'BCDF-GHJP']) {
      assert.match((await lookUp(browser, shown, code)).body, /No device waits with this code/)
    }
    const limited = await lookUp(browser, shown, device['user_code']!)
    assert.equal(limited.status, 403)
    assert.match(limited.body, /too many wrong user codes/)
  })

  it('cannot be had to decide about another code than it showed, or from elsewhere', async (t) => {
    const { server, device, path } = await setUp(t)
    const browser = server.browser()
    const asked = await lookUp(browser, await open(browser, path), device['user_code']!)
    const state = Buffer.from(JSON.stringify({ path, userCode: 'BCDF-GHJK' })).toString('base64url')
    const changed = await browser.submit(asked, '/ui/device', { decision: 'approve', state })
    assert.match(changed.body, /cannot be used any more/)
    const headers = { origin: 'https://evil.example' }
    const foreign = await browser.submit(asked, '/ui/device', { decision: 'approve' }, { headers })
    assert.match(foreign.body, /cannot be used any more/)
  })
})
