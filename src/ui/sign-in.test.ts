import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Browser, Shown, UiServer } from './testing.ts'
import { CALLBACK, authorizePath, hiddenFields, makeClient, startUi } from './testing.ts'

type Context = { after(end: () => Promise<void>): void }

const HOURS = 3_600_000

const setUp = async (
  t: Context,
  times: { readonly idle?: number; readonly max?: number } = {},
): Promise<{ server: UiServer; browser: Browser; id: string; secret: string }> => {
  const server = await startUi((config) => ({
    ...config,
    uiSessionIdleSeconds: times.idle ?? config.uiSessionIdleSeconds,
    uiSessionMaxSeconds: times.max ?? config.uiSessionMaxSeconds,
  }))
  t.after(() => server.stop())
  const client = await makeClient(server)
  return { server, browser: server.browser(), id: client.client_id, secret: client.client_secret }
}

const ALICE = { other: 'userpass', username: 'alice', password: 'pw' }

const signIn = async (
  browser: Browser,
  path: string,
  fields: Record<string, string> = {},
): Promise<Shown> => browser.submit(await browser.get(path), '/ui/sign-in', { ...ALICE, ...fields })

const answered = (shown: Shown): URLSearchParams => {
  assert.equal(shown.status, 303, shown.body)
  assert.ok(shown.location.startsWith(`${CALLBACK}?`), shown.location)
  return new URL(shown.location).searchParams
}

const errorOf = (shown: Shown): string | null => answered(shown).get('error')

const asks = (shown: Shown): void => {
  assert.equal(shown.status, 200, shown.location)
  assert.match(shown.body, /<h1>Sign in<\/h1>/)
}

const isStale = (shown: Shown): void => {
  assert.equal(shown.status, 403)
  assert.match(shown.body, /cannot be used any more/)
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

const exchange = async (
  { server, id, secret }: { server: UiServer; id: string; secret: string },
  code: string | null,
): Promise<Record<string, string>> =>
  server.write('identity/oidc/provider/default/token', {
    grant_type: 'authorization_code',
    code: code ?? '',
    redirect_uri: CALLBACK,
    client_id: id,
    client_secret: secret,
  })

describe('the code flow in a browser', () => {
  it('signs in and brings code and state back, whichever process is asked', async (t) => {
    const { server, browser, id, secret } = await setUp(t)
    const shown = await browser.get(authorizePath(id, { max_age: '60' }))
    assert.equal(shown.status, 200)
    assert.match(shown.body, /to continue to <strong><bdi>app<\/bdi>/)
    const other = server.elsewhere(browser)
    const query = answered(await other.submit(shown, '/ui/sign-in', ALICE))
    assert.equal(query.get('state'), 'st')
    const tokens = await exchange({ server, id, secret }, query.get('code'))
    const claims = claimsOf(tokens['id_token']!)
    assert.equal(claims['nonce'], 'n')
    assert.ok(Math.abs(Number(claims['auth_time']) - Date.now() / 1000) < 60)
    assert.ok(answered(await server.elsewhere(other).get(authorizePath(id))).get('code'))
  })

  it('takes the request as a form too', async (t) => {
    const { browser, id } = await setUp(t)
    const [path = '', query = ''] = authorizePath(id).split('?')
    const sent = await browser.post(path, Object.fromEntries(new URLSearchParams(query)), {
      headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(sent.status, 303)
    asks(await browser.get(sent.location))
  })

  it('brings errors of the endpoint back with the state', async (t) => {
    const { browser, id } = await setUp(t)
    const query = answered(await signIn(browser, authorizePath(id, { scope: 'profile' })))
    assert.equal(query.get('error'), 'invalid_request')
    assert.match(query.get('error_description') ?? '', /must contain the 'openid' value/)
    assert.equal(query.get('state'), 'st')
    assert.equal(
      errorOf(await browser.get(authorizePath(id, { request: 'x' }))),
      'request_not_supported',
    )
    assert.equal(errorOf(await browser.get(authorizePath(id, { max_age: 'x' }))), 'invalid_request')
    assert.equal(
      errorOf(await browser.get(authorizePath(id, { response_mode: 'fragment' }))),
      'invalid_request',
    )
    assert.equal(errorOf(await browser.get(`${authorizePath(id)}&scope=x`)), 'invalid_request')
  })

  it('tells the application when the person may not use it, or has no right to sign in to any', async (t) => {
    const { server, browser, id } = await setUp(t)
    await server.write('identity/oidc/assignment/none', { entity_ids: [] })
    await server.write('identity/oidc/client/app', { assignments: ['none'] })
    assert.equal(errorOf(await signIn(browser, authorizePath(id))), 'access_denied')
    await server.write('auth/userpass/users/bare', {
      password: 'pw',
      token_no_default_policy: true,
    })
    const bare = server.browser()
    assert.equal(
      errorOf(await signIn(bare, authorizePath(id), { username: 'bare' })),
      'access_denied',
    )
  })
})

describe('prompts', () => {
  it('none never shows anything', async (t) => {
    const { browser, id } = await setUp(t)
    const silent = authorizePath(id, { prompt: 'none' })
    assert.equal(errorOf(await browser.get(silent)), 'login_required')
    await signIn(browser, '/ui/')
    assert.ok(answered(await browser.get(silent)).get('code'))
    assert.equal(
      errorOf(await browser.get(authorizePath(id, { prompt: 'none login' }))),
      'invalid_request',
    )
  })

  it('login asks again, and once only', async (t) => {
    const { browser, id } = await setUp(t)
    await signIn(browser, '/ui/')
    const again = authorizePath(id, { prompt: 'login' })
    asks(await browser.get(again))
    assert.ok(answered(await signIn(browser, again)).get('code'))
  })

  it('select_account asks as whom', async (t) => {
    const { browser, id } = await setUp(t)
    const choosing = authorizePath(id, { prompt: 'select_account' })
    asks(await browser.get(choosing))
    await signIn(browser, '/ui/')
    const shown = await browser.get(choosing)
    assert.match(shown.body, /Continue as <bdi>alice<\/bdi>\?/)
    assert.ok(answered(await browser.submit(shown, '/ui/continue', { as: 'me' })).get('code'))
    asks(await browser.submit(shown, '/ui/continue', { as: 'other' }))
  })

  it('max_age asks again when the sign-in is older, and says when it was', async (t) => {
    const { server, browser, id, secret } = await setUp(t)
    await signIn(browser, '/ui/')
    await server.forward(600_000)
    assert.ok(answered(await browser.get(authorizePath(id, { max_age: '3600' }))).get('code'))
    const short = authorizePath(id, { max_age: '300' })
    assert.equal(
      errorOf(await browser.get(authorizePath(id, { max_age: '300', prompt: 'none' }))),
      'login_required',
    )
    const shown = await browser.get(short)
    asks(shown)
    assert.match(shown.body, /id="username"[^>]* value="alice"/)
    const query = answered(await signIn(browser, short))
    const tokens = await exchange({ server, id, secret }, query.get('code'))
    const passed = Number(claimsOf(tokens['id_token']!)['auth_time']) - Date.now() / 1000
    assert.ok(passed > 590, `auth_time is that of the second sign-in, not ${passed}`)
  })

  it('login_hint fills the name in', async (t) => {
    const { browser, id } = await setUp(t)
    const shown = await browser.get(authorizePath(id, { login_hint: 'bob "x"' }))
    assert.match(shown.body, /id="username"[^>]* value="bob &quot;x&quot;"/)
  })
})

/** The tags of a page with the names of their attributes: what a text must not change. */
const skeleton = ({ body }: Shown): readonly string[] =>
  [...body.matchAll(/<[^"'>]*(?:"[^"]*"[^"'>]*)*>/g)].map(([tag]) => tag.replace(/"[^"]*"/g, ''))

describe('hostile texts', () => {
  it('change nothing of a page but what it says', async (t) => {
    const { server, browser, id } = await setUp(t)
    const tune = (description: string): Promise<unknown> =>
      server.write('sys/auth/userpass/tune', { listing_visibility: 'unauth', description })
    await server.write('sys/auth/more', { type: 'userpass' })
    await server.write('sys/auth/more/tune', { listing_visibility: 'unauth' })
    await tune('plain')
    const hint = (login_hint: string): Promise<Shown> =>
      browser.get(authorizePath(id, { login_hint }))
    const plain = skeleton(await hint('plain'))
    assert.ok(plain.length > 30)
    const part = fc.constantFrom('<', '>', '"', "'", '&', '</style>', '<script>', '${x}', 'x', ' ')
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(part).map((all) => all.join('')),
    )
    await fc.assert(
      fc.asyncProperty(text, text, async (description, login) => {
        await tune(`d${description}`)
        assert.deepEqual(skeleton(await hint(`l${login}`)), plain)
        const failed = await signIn(browser, '/ui/', {
          mount: 'more/',
          other: '',
          username: `l${login}`,
        })
        const [, value = ''] = /id="username"[^>]*? value="([^"]*)"/s.exec(failed.body) ?? []
        assert.doesNotMatch(value, /[<>'"]/)
      }),
      { numRuns: 40 },
    )
  })
})

describe('open redirects', () => {
  it('are not: an unknown client, provider or address gets a page', async (t) => {
    const { server, browser, id } = await setUp(t)
    await server.write('identity/oidc/provider/closed', { allowed_client_ids: ['other'] })
    await server.write('identity/oidc/client/app', {
      redirect_uris: [CALLBACK, 'javascript:alert(1)//'],
    })
    await signIn(browser, '/ui/')
    const elsewhere = (provider: string): string =>
      authorizePath(id).replace('/default/', `/${provider}/`)
    const tries = [
      authorizePath('unknown'),
      authorizePath(''),
      elsewhere('unknown'),
      elsewhere('closed'),
      `${authorizePath(id)}&redirect_uri=https://evil.example`,
      `${authorizePath(id)}&client_id=x`,
      ...[
        '',
        'https://evil.example/cb',
        `${CALLBACK}/`,
        `${CALLBACK}?x`,
        `${CALLBACK}#`,
        CALLBACK.toUpperCase(),
        'https://app.example@evil.example/cb',
        'https://app.example/cb/../x',
        '//app.example/cb',
        'javascript:alert(1)//',
      ].map((redirect_uri) => authorizePath(id, { redirect_uri })),
    ]
    for (const path of [...tries, ...tries.map((each) => `${each}&prompt=none`)]) {
      const shown = await browser.get(path)
      assert.equal(shown.status, 400, path)
      assert.equal(shown.location, '')
      assert.match(shown.body, /This sign-in link does not work/)
    }
  })

  it('cannot be had by changing where a form goes on', async (t) => {
    const { browser } = await setUp(t)
    const shown = await browser.get('/ui/')
    for (const path of ['https://evil.example/', '//evil.example/', '/ui/x', '/v1/sys/seal']) {
      const state = Buffer.from(JSON.stringify({ path })).toString('base64url')
      const done = await browser.submit(shown, '/ui/sign-in', { ...ALICE, state })
      isStale(done)
      assert.ok(done.body.includes('<a href="/ui/">Try again</a>'))
    }
  })
})

describe('what a sign-in page tells', () => {
  it('is the same for wrong names, wrong passwords, locked and disabled people, and methods that are not there', async (t) => {
    const { server, browser } = await setUp(t)
    await server.write('auth/userpass/users/gone', { password: 'pw' })
    const { entityId } = await server.write('auth/userpass/login/gone', { password: 'pw' })
    await server.write(`identity/entity/id/${entityId}`, { disabled: true })
    await server.write('auth/userpass/users/locked', { password: 'pw' })
    for (let guess = 0; guess < 6; guess++) {
      await server.ask('update', 'auth/userpass/login/locked', { password: 'no' }, '')
    }
    const told = async (fields: Record<string, string>): Promise<string> => {
      const shown = await signIn(browser, '/ui/', fields)
      assert.equal(shown.status, 403)
      const text = /role="alert"[^>]*>([^<]*)</.exec(shown.body)?.[1] ?? ''
      assert.notEqual(text, '')
      return text
    }
    const texts = new Set([
      await told({ password: 'no' }),
      await told({ username: 'nobody' }),
      await told({ username: 'nobody', password: '' }),
      await told({ password: '' }),
      await told({ username: 'gone' }),
      await told({ username: 'locked' }),
      await told({ username: '' }),
      await told({ username: '../alice' }),
      await told({ username: 'alice/password' }),
      await told({ username: 'x'.repeat(5_000) }),
      await told({ password: 'x'.repeat(5_000) }),
      await told({ other: 'nothing' }),
      await told({ other: 'token' }),
      await told({ other: '../userpass' }),
    ])
    assert.equal(texts.size, 1)
  })

  it('offers the methods that want to be seen, and takes any other by its path', async (t) => {
    const { server, browser } = await setUp(t)
    const hidden = await browser.get('/ui/')
    assert.match(hidden.body, /id="other"\s+name="other"\s+value="userpass"/)
    await server.write('sys/auth/staff', { type: 'userpass', description: 'Staff <b>' })
    await server.write('sys/auth/staff/tune', { listing_visibility: 'unauth' })
    await server.write('auth/staff/users/eve', { password: 'pw' })
    const shown = await browser.get('/ui/')
    assert.match(shown.body, /<input type="hidden" name="mount" value="staff\/" \/>/)
    assert.doesNotMatch(shown.body, /userpass\/"/)
    await server.write('sys/auth/userpass/tune', { listing_visibility: 'unauth' })
    await server.write('sys/auth/approle', { type: 'approle' })
    await server.write('sys/auth/approle/tune', { listing_visibility: 'unauth' })
    const both = await browser.get('/ui/')
    assert.match(both.body, /<bdi>Staff &lt;b&gt;<\/bdi>/)
    assert.equal(both.body.match(/type="radio"/g)?.length, 2)
    for (const fields of [
      { mount: 'staff/', other: '', username: 'eve' },
      { mount: 'staff/', other: 'auth/userpass/', username: 'alice' },
      { mount: 'userpass/', other: ' /staff ', username: 'eve' },
    ]) {
      const done = await signIn(server.browser(), '/ui/', fields)
      assert.equal(done.location, '/ui/', JSON.stringify(fields))
    }
  })
})

describe('forms', () => {
  it('are refused without their seal, in another browser, from another site, for another purpose, and later', async (t) => {
    const { server, browser } = await setUp(t)
    const shown = await browser.get('/ui/')
    const fields = hiddenFields(shown, '/ui/sign-in')
    isStale(await browser.post('/ui/sign-in', ALICE))
    isStale(await browser.post('/ui/sign-in', { ...ALICE, ...fields, form: '' }))
    isStale(await browser.post('/ui/sign-in', { ...ALICE, ...fields, form: `${fields['form']}A` }))
    const foreign = server.browser()
    isStale(await foreign.post('/ui/sign-in', { ...ALICE, ...fields }))
    await foreign.get('/ui/')
    isStale(await foreign.post('/ui/sign-in', { ...ALICE, ...fields }))
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:9' },
      { origin: 'http://localhost:8200', 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      isStale(await browser.submit(shown, '/ui/sign-in', ALICE, { headers }))
    }
    isStale(await browser.post('/ui/sign-in/second-factor', fields))
    assert.equal(browser.cookies.has('signet-session'), false)
    await server.forward(2 * HOURS)
    isStale(await browser.submit(shown, '/ui/sign-in', ALICE))
    const json = await browser.post('/ui/sign-in', fields, {
      headers: { 'content-type': 'text/plain' },
    })
    assert.equal(json.status, 400)
  })

  it('of a session are worth nothing in another one', async (t) => {
    const { browser } = await setUp(t)
    await signIn(browser, '/ui/')
    const shown = await browser.get('/ui/')
    await browser.submit(shown, '/ui/sign-out', {})
    await signIn(browser, '/ui/')
    isStale(await browser.submit(shown, '/ui/sign-out', {}))
    assert.match((await browser.get('/ui/')).body, /You are signed in/)
  })
})

describe('sessions', () => {
  it('have a cookie of their own making that scripts and other sites do not see', async (t) => {
    const { server, browser } = await setUp(t)
    const planted = 'A'.repeat(43)
    browser.cookies.set('signet-session', planted)
    await signIn(browser, '/ui/')
    const first = browser.cookies.get('signet-session')
    assert.notEqual(first, planted)
    assert.match(browser.set.at(-1) ?? '', /; Path=\/; HttpOnly; SameSite=Lax$/)
    // Whoever signs in again gets another, and the one before is over.
    const old = server.browser()
    old.cookies.set('signet-session', first!)
    const again = server.browser()
    const shown = await again.get('/ui/')
    again.cookies.set('signet-session', first!)
    await again.submit(shown, '/ui/sign-in', ALICE)
    assert.notEqual(again.cookies.get('signet-session'), first)
    asks(await old.get('/ui/'))
  })

  it('have Secure cookies wherever the browser is not on this machine', async (t) => {
    const { server } = await setUp(t)
    for (const headers of [
      { host: 'signet.example' },
      { host: 'localhost', 'x-forwarded-proto': 'https' },
      { host: 'localhost.evil.example' },
    ]) {
      const browser = server.browser()
      await browser.get('/ui/', { headers })
      assert.match(browser.set[0] ?? '', /^__Host-signet-browser=.*; Secure$/)
    }
  })

  it('end with the token, the entity, the user’s mount, and at sign-out, on every process', async (t) => {
    const { server } = await setUp(t)
    const { entityId } = await server.write('auth/userpass/login/alice', { password: 'pw' })
    const ending = async (end: (browser: Browser) => Promise<unknown>): Promise<void> => {
      const browser = server.browser()
      await signIn(browser, '/ui/')
      const other = server.elsewhere(browser)
      assert.match((await other.get('/ui/')).body, /You are signed in/)
      await end(browser)
      asks(await other.get('/ui/'))
      asks(await server.elsewhere(other).get('/ui/'))
    }
    await ending(async () => {
      await server.write(`identity/entity/id/${entityId}`, { disabled: true })
    })
    await server.write(`identity/entity/id/${entityId}`, { disabled: false })
    await ending((browser) =>
      browser.get('/ui/').then((shown) => browser.submit(shown, '/ui/sign-out', {})),
    )
    await ending(async () => {
      await server.write('sys/leases/revoke-prefix/auth/userpass/login/alice')
    })
    await ending(() => server.ask('delete', `identity/entity/id/${entityId}`))
    await ending(() => server.ask('delete', 'sys/auth/userpass'))
  })

  it('do not come back when a disabled entity is enabled again', async (t) => {
    const { server, browser } = await setUp(t)
    await signIn(browser, '/ui/')
    const { entityId } = await server.write('auth/userpass/login/alice', { password: 'pw' })
    await server.write(`identity/entity/id/${entityId}`, { disabled: true })
    asks(await browser.get('/ui/'))
    await server.write(`identity/entity/id/${entityId}`, { disabled: false })
    asks(await browser.get('/ui/'))
  })

  it('end without use, and in the end anyhow', async (t) => {
    const { server, browser } = await setUp(t, { idle: 8 * 3600, max: 24 * 3600 })
    const used = server.browser()
    await signIn(browser, '/ui/')
    await signIn(used, '/ui/')
    for (const hours of [7, 7, 7]) {
      await server.forward(hours * HOURS)
      assert.match((await used.get('/ui/')).body, /You are signed in/)
    }
    asks(await browser.get('/ui/'))
    await server.forward(4 * HOURS)
    asks(await used.get('/ui/'))
  })

  it('end by OIDC logout', async (t) => {
    const { server, browser, id, secret } = await setUp(t)
    await server.write('identity/oidc/client/app', {
      post_logout_redirect_uris: ['https://app.example/bye'],
    })
    const query = answered(await signIn(browser, authorizePath(id)))
    const { id_token } = await exchange({ server, id, secret }, query.get('code'))
    const other = server.browser()
    await signIn(other, '/ui/')
    const done = await server.ask('update', 'identity/oidc/provider/default/logout', {
      id_token_hint: id_token!,
      post_logout_redirect_uri: 'https://app.example/bye',
    })
    assert.ok(done.kind === 'raw' && done.status === 302, JSON.stringify(done))
    assert.equal(
      errorOf(await browser.get(authorizePath(id, { prompt: 'none' }))),
      'login_required',
    )
    assert.match((await other.get('/ui/')).body, /You are signed in/)
  })

  it('keep a token alive that is given for less time than they last', async (t) => {
    const { server, browser } = await setUp(t)
    await server.write('auth/userpass/users/alice', { token_ttl: '30m', token_max_ttl: '2h' })
    await signIn(browser, '/ui/')
    for (let minutes = 20; minutes < 120; minutes += 20) {
      await server.forward(20 * 60_000)
      assert.match((await browser.get('/ui/')).body, /You are signed in/, `after ${minutes}`)
    }
    await server.forward(30 * 60_000)
    asks(await browser.get('/ui/'))
  })

  it('are only for the addresses that their token is for', async (t) => {
    const { server, browser } = await setUp(t)
    await server.write('auth/userpass/users/alice', { token_bound_cidrs: ['127.0.0.1/32'] })
    await signIn(browser, '/ui/')
    asks(await browser.get('/ui/', { from: '10.1.2.3' }))
    assert.match((await browser.get('/ui/')).body, /You are signed in/)
  })
})

describe('pages', () => {
  it('run nothing, load nothing and stand in no frame', async (t) => {
    const { browser, id } = await setUp(t)
    for (const path of ['/ui/', '/ui/nothing', authorizePath(id), authorizePath('x')]) {
      const { body, headers } = await browser.get(path)
      const policy = headers['Content-Security-Policy'] ?? ''
      assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+='; form-action 'self'/)
      assert.match(policy, /frame-ancestors 'none'$/)
      assert.doesNotMatch(policy, /unsafe|script-src|\*/)
      assert.equal(headers['X-Frame-Options'], 'DENY')
      assert.equal(headers['Referrer-Policy'], 'same-origin')
      assert.doesNotMatch(body, /<script|\son\w+=|style=|src="http|<link/)
    }
  })

  it('say that the server is sealed', async (t) => {
    const { server, browser, id } = await setUp(t)
    await server.seal()
    assert.equal((await browser.get('/ui/')).status, 503)
    assert.equal((await browser.get(authorizePath(id))).status, 503)
  })

  it('answer other methods and paths with 405 and 404', async (t) => {
    const { browser } = await setUp(t)
    assert.equal((await browser.get('/ui/sign-in')).status, 405)
    assert.equal((await browser.post('/ui/', {})).status, 405)
    assert.equal((await browser.get('/ui/x/../y')).status, 404)
    assert.equal(
      (await browser.get('/ui/device')).location,
      '/ui/vault/identity/oidc/provider/default/device',
    )
  })
})
