import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { limits } from '../../limits.ts'
import type { Answer, FakeMount, Signer } from './fake-mount.ts'
import { fakeMount, newSigner } from './fake-mount.ts'
import { jwtEngines } from './index.ts'

const one = newSigner('ES256')
const two = newSigner('ES256')
const rsa = newSigner('RS256')

/** An identity provider on the loopback interface. */
interface Provider {
  readonly url: string
  keys: readonly unknown[]
  status: number
  /** Requests for the keys so far. */
  asked: number
}

const closers: (() => void)[] = []
after(() => {
  for (const close of closers) close()
})

const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const provider = async (...signers: readonly Signer[]): Promise<Provider> => {
  const self = {
    url: '',
    keys: signers.map((signer, n) => signer.jwk(`k${n}`)),
    status: 200,
    asked: 0,
  }
  self.url = await listen((request, response) => {
    response.statusCode = self.status
    switch (request.url ?? '') {
      case '/keys':
        self.asked += 1
        response.end(JSON.stringify({ keys: self.keys }))
        return
      case '/.well-known/openid-configuration':
        response.end(JSON.stringify({ issuer: self.url, jwks_uri: `${self.url}/keys` }))
        return
      case '/moved':
        response.statusCode = 302
        response.setHeader('location', '/keys')
        response.end()
        return
      case '/loop':
        response.statusCode = 302
        response.setHeader('location', '/loop')
        response.end()
        return
      default:
        response.end('{"keys":5}')
    }
  })
  return self
}

const mounted = async (config: Readonly<Record<string, string | boolean>>): Promise<FakeMount> => {
  const mount = fakeMount(jwtEngines()[0]!)
  const written = await mount.ask('update', 'config', config)
  assert.ok(written.status < 300, written.error ?? '')
  const made = await mount.ask('create', 'role/r', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: 'us',
  })
  assert.equal(made.status, 204, made.error ?? '')
  return mount
}

const logIn = (mount: FakeMount, signer: Signer, kid?: string): Promise<Answer> => {
  const claims = { sub: 'ann', aud: 'us', iat: Math.floor(mount.now / 1000) }
  const jwt = signer.token(claims, kid === undefined ? {} : { kid })
  return mount.ask('update', 'login', { role: 'r', jwt })
}

const NO_KEY =
  'error validating token: error verifying token signature: failed to verify id token signature'

describe('keys behind jwks_url', () => {
  it('are fetched once for many logins, with or without a key id in the token', async () => {
    const idp = await provider(one, rsa)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    const asked = idp.asked
    const answers = await Promise.all([
      logIn(mount, one, 'k0'),
      logIn(mount, rsa, 'k1'),
      logIn(mount, one),
      logIn(mount, rsa),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    )
    assert.equal(idp.asked - asked, 1)
  })

  it('are fetched again at once when a token names a new one, so that a rotation costs no login', async () => {
    const idp = await provider(one)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one, 'k0')).status, 200)
    idp.keys = [two.jwk('new')]
    mount.now += 1
    const rotated = await Promise.all([logIn(mount, two, 'new'), logIn(mount, two, 'new')])
    assert.deepEqual(
      rotated.map(({ status }) => status),
      [200, 200],
    )
    assert.equal((await logIn(mount, one, 'k0')).error, NO_KEY)
  })

  it('are fetched again at most once in a while for tokens that no key signed', async () => {
    const idp = await provider(one)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one)).status, 200)
    const asked = idp.asked
    for (let n = 0; n < 20; n++) {
      mount.now += 100
      assert.equal((await logIn(mount, two, `made-up-${n}`)).error, NO_KEY)
    }
    assert.equal(idp.asked - asked, 1)
    idp.keys = [two.jwk('new')]
    mount.now += limits.fetchedKeysPauseMs
    assert.equal((await logIn(mount, two, 'new')).status, 200)
  })

  it('are no longer used when they were taken back a while ago', async () => {
    const idp = await provider(one, two)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one)).status, 200)
    idp.keys = [two.jwk('k1')]
    mount.now += limits.fetchedKeysFreshMs
    assert.equal((await logIn(mount, one)).error, NO_KEY)
  })

  it('outlive a provider that does not answer, but not for ever', async () => {
    const idp = await provider(one)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one)).status, 200)
    idp.status = 500
    mount.now += limits.fetchedKeysFreshMs
    assert.equal((await logIn(mount, one)).status, 200)
    mount.now += limits.fetchedKeysStaleMs
    assert.equal(
      (await logIn(mount, one)).error,
      'error validating token: error verifying token signature: fetching keys oidc: get keys failed: status 500',
    )
    idp.status = 200
    assert.equal((await logIn(mount, one)).status, 200)
  })

  it('are used only for what they say they are for', async () => {
    const idp = await provider()
    idp.keys = [
      { ...one.jwk('enc'), use: 'enc' },
      { ...two.jwk('alg'), alg: 'ES512' },
      { kty: 'oct', k: Buffer.from('secret').toString('base64url'), alg: 'HS256' },
      { kty: 'XYZ' },
      { kty: 'RSA', n: 'AQAB' },
      5,
      null,
      rsa.jwk('good'),
    ]
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one)).error, NO_KEY)
    assert.equal((await logIn(mount, two)).error, NO_KEY)
    assert.equal((await logIn(mount, rsa, 'other')).error, NO_KEY)
    assert.equal((await logIn(mount, rsa, 'good')).status, 200)
  })

  it('belong to a configuration: those of the former one count no more', async () => {
    const idp = await provider(one)
    const other = await provider(two)
    const mount = await mounted({ jwks_url: `${idp.url}/keys` })
    assert.equal((await logIn(mount, one)).status, 200)
    await mount.ask('update', 'config', { jwks_url: `${other.url}/keys` })
    assert.equal((await logIn(mount, one)).error, NO_KEY)
    assert.equal((await logIn(mount, two)).status, 200)
  })

  it('are asked for when the configuration is written; a fault is a warning if that is wished', async () => {
    const idp = await provider(one)
    const mount = fakeMount(jwtEngines()[0]!)
    for (const path of ['nothing', 'loop']) {
      const jwks_url = `${idp.url}/${path}`
      const { error } = await mount.ask('update', 'config', { jwks_url })
      assert.equal(error, 'error checking jwks URL')
      const kept = await mount.ask('update', 'config', { jwks_url, skip_jwks_validation: true })
      assert.equal(kept.status, 200)
      assert.deepEqual(kept.warnings, ['error checking jwks URL'])
    }
    for (const jwks_url of ['file:///etc/passwd', 'nonsense', 'http://127.0.0.1:1/']) {
      const { error } = await mount.ask('update', 'config', { jwks_url })
      assert.equal(error, 'error checking jwks URL')
    }
    assert.equal(
      (await mount.ask('update', 'config', { jwks_url: `${idp.url}/keys`, jwks_ca_pem: 'no' }))
        .error,
      'error checking jwks_ca_pem',
    )
    assert.equal(
      (await mount.ask('update', 'config', { jwks_url: `${idp.url}/moved` })).status,
      204,
    )
  })
})

describe('keys behind oidc_discovery_url', () => {
  it('are found through the document of the provider', async () => {
    const idp = await provider(one)
    const mount = await mounted({ oidc_discovery_url: idp.url })
    assert.equal((await logIn(mount, one)).status, 200)
    assert.equal((await logIn(mount, two)).error, NO_KEY)
    const read = await mount.ask('read', 'config')
    assert.equal(read.data?.['status'], 'valid')
  })

  it('are not taken from a provider that calls itself otherwise', async () => {
    const idp = await provider(one)
    const mount = fakeMount(jwtEngines()[0]!)
    const { error } = await mount.ask('update', 'config', { oidc_discovery_url: `${idp.url}/` })
    assert.equal(error, 'error checking oidc discovery URL')
  })

  it('are missing while the provider does not answer, and the configuration says so', async () => {
    const idp = await provider(one)
    const mount = await mounted({ oidc_discovery_url: idp.url })
    idp.status = 503
    assert.equal(
      (await logIn(mount, one)).error,
      'error configuring token validator: error creating provider: status 503',
    )
    const read = await mount.ask('read', 'config')
    assert.equal(read.data?.['status'], 'invalid')
    assert.deepEqual(read.warnings, [
      'failed to construct JWK validator: error creating provider: status 503',
    ])
  })
})

describe('a login during which the mount changes', () => {
  /** A provider that lets something happen while its keys are on the way. */
  const slow = (meanwhile: (mount: FakeMount) => Promise<unknown>): FakeMount => {
    let asked = 0
    const mount = fakeMount(
      jwtEngines(async () => {
        asked += 1
        if (asked === 2) await meanwhile(mount)
        return { status: 200, contentType: '', body: JSON.stringify({ keys: [one.jwk('k')] }) }
      })[0]!,
    )
    return mount
  }

  const role = { role_type: 'jwt', user_claim: 'sub', bound_audiences: 'us' }

  const outcome = async (meanwhile: (mount: FakeMount) => Promise<unknown>): Promise<Answer> => {
    const mount = slow(meanwhile)
    await mount.ask('update', 'config', { jwks_url: 'https://idp.test/keys' })
    await mount.ask('create', 'role/r', role)
    return logIn(mount, one)
  }

  it('is judged by the role as it is at the end', async () => {
    const narrowed = await outcome((mount) =>
      mount.ask('update', 'role/r', { ...role, bound_subject: 'bob' }),
    )
    assert.equal(narrowed.error, 'error validating token: invalid subject (sub) claim')
    const gone = await outcome((mount) => mount.ask('delete', 'role/r'))
    assert.equal(gone.error, 'role "r" could not be found')
    const same = await outcome((mount) => mount.ask('read', 'role/r'))
    assert.equal(same.status, 200)
  })

  it('has to be repeated when the configuration became another, as its keys may have', async () => {
    const { status, error } = await outcome((mount) =>
      mount.ask('update', 'config', { jwks_url: 'https://idp.test/keys' }),
    )
    assert.equal(status, 503)
    assert.match(error ?? '', /try again/)
  })
})
