import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import * as oidc from 'openid-client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { skipWithoutChromium, startChromium } from './support/chromium.ts'
import type { TestServer } from './support/server.ts'
import { startTestServer } from './support/server.ts'
import type { TestTls } from './support/tls.ts'
import { createTls, fetchTls } from './support/tls.ts'

/** The whole way of a person through a real browser, over TLS, to an application that uses `openid-client`. */
describe('the sign-in page in Chromium', { skip: skipWithoutChromium() }, () => {
  let tls: TestTls
  let server: TestServer
  let application: Server
  let browser: Browser
  let base = ''
  let home = ''
  let configuration: oidc.Configuration

  const api = async (path: string, body?: unknown): Promise<Record<string, any>> => {
    const answer = await fetchTls(`${base}/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'X-Vault-Token': 'root', 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, any>)
  }

  before(async () => {
    tls = createTls()
    server = await startTestServer({
      configure: (config) => ({
        ...config,
        listeners: config.listeners.map((listener) =>
          listener.kind === 'tcp' ? { ...listener, tls: tls.tls } : listener,
        ),
      }),
    })
    base = `https://127.0.0.1:${server.port}`
    // An application sends the browser on from its callback, as most do, here to another origin.
    application = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '', 'http://x')
      if (pathname === '/cb') {
        response.writeHead(302, {
          Location: `${home.replace('127.0.0.1', 'localhost')}/in${search}`,
        })
        response.end()
      } else if (pathname === '/attack') {
        response.writeHead(200, { 'Content-Type': 'text/html' })
        response.end(
          `<form method="post" action="${base}/ui/sign-in"><input name="username" value="ann">
          <input name="password" value="secret"><input name="other" value="people"><button>go</button></form>`,
        )
      } else response.end('<title>The application</title>')
    })
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    home = `http://127.0.0.1:${(application.address() as AddressInfo).port}`
    await api('sys/auth/people', {
      type: 'userpass',
      description: 'People <script>alert(1)</script>',
      config: { listing_visibility: 'unauth' },
    })
    await api('auth/people/users/ann', { password: 'secret' })
    await api('identity/oidc/client/wiki', {
      redirect_uris: `${home}/cb`,
      assignments: 'allow_all',
    })
    const { data } = await api('identity/oidc/client/wiki')
    configuration = await oidc.discovery(
      new URL(`${base}/v1/identity/oidc/provider/default`),
      data?.['client_id'] as string,
      data?.['client_secret'] as string,
      undefined,
      { [oidc.customFetch]: fetchTls as oidc.CustomFetch },
    )
    browser = await startChromium()
  })
  after(async () => {
    await browser?.close()
    application?.close()
    await server?.stop()
    tls?.remove()
  })

  const visit = async (javaScriptEnabled: boolean) => {
    const context = await browser.newContext({ javaScriptEnabled, ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (!/status of 40[034]/.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url())
      if (!['127.0.0.1', 'localhost'].includes(hostname)) complaints.push(`${protocol} ${hostname}`)
    })
    return { context, page, complaints }
  }

  /** Begins at the application; gives what it needs when the browser comes back. */
  const begin = async (page: Page, more: Record<string, string> = {}) => {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: `${home}/cb`,
      scope: 'openid',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...more,
    })
    await page.goto(url.href)
    return { pkceCodeVerifier, expectedState, expectedNonce }
  }

  /** The browser is back at the application, which takes the code. */
  const end = async (page: Page, checks: Awaited<ReturnType<typeof begin>>) => {
    await page.waitForURL(/\/in\?/)
    const came = new URL(page.url())
    came.pathname = '/cb'
    came.hostname = '127.0.0.1'
    return oidc.authorizationCodeGrant(configuration, came, checks)
  }

  const sessionOf = async (context: BrowserContext) =>
    (await context.cookies(base)).find(({ name }) => name.endsWith('signet-session'))

  for (const scripts of [true, false]) {
    it(`completes the code flow ${scripts ? 'with' : 'without'} JavaScript`, async () => {
      const { context, page, complaints } = await visit(scripts)
      const checks = await begin(page)
      await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
      assert.equal(await page.locator('strong').innerText(), 'wiki')
      await page.getByLabel('User name').fill('ann')
      await page.getByLabel('Password').fill('wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      assert.match(await page.getByRole('alert').innerText(), /^The user name or password is wrong/)
      assert.equal(await page.getByLabel('User name').inputValue(), 'ann')
      // The password has the focus now: no mouse is needed.
      await page.keyboard.type('secret')
      await page.keyboard.press('Enter')
      const tokens = await end(page, checks)
      assert.equal(tokens.claims()?.aud, configuration.clientMetadata().client_id)
      const session = await sessionOf(context)
      assert.equal(session?.name, '__Host-signet-session')
      assert.deepEqual(
        [session?.httpOnly, session?.secure, session?.sameSite, session?.expires],
        [true, true, 'Lax', -1],
      )
      // Signed in once, every application is one click away.
      const silent = await end(page, await begin(page, { prompt: 'none' }))
      assert.equal(silent.claims()?.sub, tokens.claims()?.sub)
      await page.goto(`${base}/ui/`)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
      assert.equal(await sessionOf(context), undefined)
      await begin(page, { prompt: 'none' })
      await page.waitForURL(/error=login_required/)
      assert.deepEqual(complaints, [])
      await context.close()
    })
  }

  it('has its style, and shows what others wrote as text', async () => {
    const { context, page, complaints } = await visit(true)
    await page.goto(`${base}/ui/`)
    const width = await page.evaluate<string>(
      'getComputedStyle(document.querySelector("main")).maxWidth',
    )
    assert.equal(width, '416px')
    await api('sys/auth/more', { type: 'userpass', config: { listing_visibility: 'unauth' } })
    await page.reload()
    await page.getByLabel('People <script>alert(1)</script>').waitFor()
    await page.getByText('Use another sign-in method').click()
    await page.getByLabel('Sign-in method').fill('people')
    assert.deepEqual(complaints, [])
    await context.close()
  })

  it('takes no form from another site', async () => {
    const { context, page } = await visit(true)
    await page.goto(`${base}/ui/`)
    await page.goto(`${home}/attack`)
    await page.getByRole('button').click()
    await page.getByRole('alert').waitFor()
    assert.match(await page.getByRole('alert').innerText(), /came from elsewhere/)
    assert.equal(await sessionOf(context), undefined)
    await context.close()
  })
})
