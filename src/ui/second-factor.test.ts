import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { authenticator as read } from '../../test/support/second-factor.ts'
import type { Browser, Shown } from './testing.ts'
import { CALLBACK, authorizePath, makeClient, startUi } from './testing.ts'

type Context = { after(end: () => Promise<void>): void }

/** An authenticator app that has read this URL. */
const authenticator = (url: string): ReturnType<typeof read> =>
  read({ data: { url } } as unknown as Parameters<typeof read>[0])

const STEP = '/ui/sign-in/second-factor'

const setUp = async (t: Context, selfEnroll = false) => {
  const server = await startUi()
  t.after(() => server.stop())
  const { client_id: id } = await makeClient(server)
  const { entityId } = await server.write('auth/userpass/login/alice', { password: 'pw' })
  const { method_id } = await server.write('identity/mfa/method/totp', {
    issuer: 'acme',
    method_name: 'app <b>',
    enable_self_enrollment: selfEnroll,
  })
  await server.write('identity/mfa/login-enforcement/all', {
    mfa_method_ids: [method_id],
    auth_method_types: ['userpass'],
  })
  return { server, id, entityId: String(entityId), methodId: String(method_id) }
}

const password = async (browser: Browser, path: string): Promise<Shown> =>
  browser.submit(await browser.get(path), '/ui/sign-in', {
    other: 'userpass',
    username: 'alice',
    password: 'pw',
  })

const hasCode = ({ location }: Shown): boolean =>
  location.startsWith(CALLBACK) && new URL(location).searchParams.has('code')

describe('a sign-in with a second factor', () => {
  it('asks for a code after the password, again after a wrong one, on any process', async (t) => {
    const { server, id, entityId, methodId } = await setUp(t)
    const made = await server.write('identity/mfa/method/totp/admin-generate', {
      method_id: methodId,
      entity_id: entityId,
    })
    const app = authenticator(made.url)
    const browser = server.browser()
    const shown = await password(browser, authorizePath(id))
    assert.equal(shown.status, 200)
    assert.match(shown.body, /Authenticator app \(app &lt;b&gt;\)/)
    assert.equal(browser.cookies.has('signet-session'), false)
    const wrong = await browser.submit(shown, STEP, { 'passcode-0': '000000' })
    assert.equal(wrong.status, 403)
    assert.match(wrong.body, /role="alert"[^>]*>The code is wrong/)
    const other = server.elsewhere(browser)
    const done = await other.submit(wrong, STEP, { 'passcode-0': ` ${app.at(Date.now())} ` })
    assert.ok(hasCode(done), done.body)
    // The form is spent.
    const again = await other.submit(wrong, STEP, { 'passcode-0': app.at(Date.now()) })
    assert.equal(again.status, 403)
    assert.match(again.body, /That took too long/)
  })

  it('cannot be finished in another browser', async (t) => {
    const { server, id, entityId, methodId } = await setUp(t)
    const made = await server.write('identity/mfa/method/totp/admin-generate', {
      method_id: methodId,
      entity_id: entityId,
    })
    const shown = await password(server.browser(), authorizePath(id))
    const foreign = server.browser()
    await foreign.get('/ui/')
    const passcode = authenticator(made.url).at(Date.now())
    const done = await foreign.submit(shown, STEP, { 'passcode-0': passcode })
    assert.equal(done.status, 403)
    assert.equal(foreign.cookies.has('signet-session'), false)
  })

  it('sets an authenticator app up where the method allows it', async (t) => {
    const { server, id, methodId } = await setUp(t, true)
    const browser = server.browser()
    const shown = await password(browser, authorizePath(id))
    assert.match(shown.body, /Set up <bdi>Authenticator app/)
    const enrolling = await browser.submit(shown, STEP, { enrol: methodId })
    assert.equal(enrolling.status, 200, enrolling.body)
    assert.match(enrolling.headers['Content-Security-Policy'] ?? '', /img-src data:;/)
    assert.match(enrolling.body, /src="data:image\/png;base64,iVBOR/)
    const [, key = ''] = /<code>([A-Z2-7]+)<\/code>/.exec(enrolling.body) ?? []
    const app = authenticator(`otpauth://totp/a?algorithm=SHA1&digits=6&period=30&secret=${key}`)
    const done = await browser.submit(enrolling, STEP, { 'passcode-0': app.at(Date.now()) })
    assert.ok(hasCode(done), done.body)
    assert.doesNotMatch((await password(server.browser(), authorizePath(id))).body, /Set up/)
  })
})
