import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../std/json.ts'
import type { Answer, FakeMount, Signer } from './fake-mount.ts'
import { fakeMount, forgedToken, newSigner } from './fake-mount.ts'
import { jwtEngines } from './index.ts'

const signers = new Map(
  ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((alg) => [alg, newSigner(alg)]),
)
const signer = (alg: string): Signer => signers.get(alg)!
const issuer = signer('ES256')

type Body = Readonly<Record<string, Json>>

const mounted = async (role: Body = {}, config: Body = {}): Promise<FakeMount> => {
  const mount = fakeMount(jwtEngines()[0]!)
  const written = await mount.ask('update', 'config', {
    jwt_validation_pubkeys: [issuer.pem],
    ...config,
  })
  assert.equal(written.status, 204, written.error ?? '')
  const made = await mount.ask('create', 'role/r', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: 'us',
    ...role,
  })
  assert.equal(made.status, 204, made.error ?? '')
  return mount
}

const claimsOf = (mount: FakeMount, more: Readonly<Record<string, unknown>> = {}) => ({
  sub: 'ann',
  aud: 'us',
  exp: Math.floor(mount.now / 1000) + 60,
  ...more,
})

const logIn = (mount: FakeMount, jwt: string, role = 'r'): Promise<Answer> =>
  mount.ask('update', 'login', { role, jwt })

const logInWith = (
  mount: FakeMount,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> => logIn(mount, issuer.token(claimsOf(mount, more)))

const NO_KEY =
  'error validating token: error verifying token signature: no known key successfully validated the token signature'

describe('a login with a signed token', () => {
  it('makes a token for the alias that the user claim names', async () => {
    const mount = await mounted({
      groups_claim: 'groups',
      claim_mappings: { mail: 'email', '/dept/name': 'department', absent: 'x' },
      token_policies: 'a,b',
      token_ttl: '5m',
    })
    const { login } = await logInWith(mount, {
      groups: ['dev', '', 'ops'],
      mail: 'ann@example.test',
      dept: { name: 'eng' },
    })
    assert.equal(login?.alias?.name, 'ann')
    assert.equal(login?.displayName, 'ann')
    const metadata = { email: 'ann@example.test', department: 'eng', role: 'r' }
    assert.deepEqual({ ...login?.metadata }, metadata)
    assert.deepEqual({ ...login?.alias?.metadata }, metadata)
    assert.deepEqual(login?.groupAliases, ['dev', 'ops'])
    assert.deepEqual(login?.token.policies, ['a', 'b'])
    assert.equal(login?.token.ttl, 300)
    assert.deepEqual(login?.internal, { role: 'r' })
  })

  for (const alg of signers.keys()) {
    it(`takes a signature of ${alg} by a configured key, and none of a foreign key`, async () => {
      const mount = await mounted({}, { jwt_validation_pubkeys: [issuer.pem, signer(alg).pem] })
      assert.equal((await logIn(mount, signer(alg).token(claimsOf(mount)))).status, 200)
      const foreign = newSigner(alg).token(claimsOf(mount))
      assert.equal((await logIn(mount, foreign)).error, NO_KEY)
    })
  }

  it('takes no unsigned token, and no HMAC with the public key as its secret', async () => {
    const rsa = signer('RS256')
    const mount = await mounted({}, { jwt_validation_pubkeys: [rsa.pem] })
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1')
    const claims = claimsOf(mount)
    for (const token of [
      forgedToken('none', claims),
      forgedToken('None', claims),
      forgedToken('', claims),
      forgedToken('HS256', claims, rsa.pem),
      forgedToken('HS256', claims, rsa.pem.trim()),
      forgedToken('HS256', claims, der),
      forgedToken('RS256', claims),
      forgedToken('RS256', claims, rsa.pem),
    ]) {
      assert.equal((await logIn(mount, token)).error, NO_KEY)
    }
  })

  it('takes no signature under another algorithm of the same key, and no critical extension', async () => {
    const rsa = signer('RS256')
    const mount = await mounted({}, { jwt_validation_pubkeys: [rsa.pem, issuer.pem] })
    for (const alg of ['PS256', 'RS384', 'ES256', 'EdDSA', 'constructor']) {
      assert.equal((await logIn(mount, rsa.token(claimsOf(mount), { alg }))).error, NO_KEY)
    }
    const critical = rsa.token(claimsOf(mount), { crit: ['b64'], b64: false })
    assert.equal((await logIn(mount, critical)).error, NO_KEY)
  })

  it('takes no key from the token itself', async () => {
    const mount = await mounted()
    const foreign = newSigner('ES256')
    const token = foreign.token(claimsOf(mount), { jwk: foreign.jwk('x'), kid: 'x' })
    assert.equal((await logIn(mount, token)).error, NO_KEY)
  })

  it('takes only the algorithms that the configuration names', async () => {
    const mount = await mounted({}, { jwt_supported_algs: 'RS256' })
    assert.equal(
      (await logInWith(mount)).error,
      'error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm',
    )
  })

  it('fails when any byte of the token is another', async () => {
    const mount = await mounted({ groups_claim: 'groups' })
    const token = issuer.token(claimsOf(mount, { groups: ['a'] }))
    assert.equal((await logIn(mount, token)).status, 200)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.oneof(
          fc.nat(255).map((byte) => Buffer.of(byte).toString('base64url').slice(0, 1)),
          fc.string({ minLength: 1, maxLength: 1 }),
        ),
        async (at, char) => {
          fc.pre(token[at] !== char)
          const altered = token.slice(0, at) + char + token.slice(at + 1)
          assert.equal((await logIn(mount, altered)).status, 400)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('fails when a part of the token comes from another token of the same issuer', async () => {
    const mount = await mounted()
    const one = issuer.token(claimsOf(mount, { sub: 'ann' })).split('.')
    const two = issuer.token(claimsOf(mount, { sub: 'bob' })).split('.')
    for (const mixed of [
      [one[0], two[1], one[2]],
      [one[0], one[1], two[2]],
    ]) {
      assert.equal((await logIn(mount, mixed.join('.'))).error, NO_KEY)
    }
  })

  it('fails for claims that are no object', async () => {
    const mount = await mounted()
    for (const claims of ['[]', '5', 'null', 'nope', '']) {
      assert.equal((await logIn(mount, issuer.token(claims))).error, NO_KEY)
    }
  })

  it('fails for a token with an audience when the role has none', async () => {
    const mount = await mounted({ bound_audiences: '', bound_subject: 'ann' })
    const refused = 'audience claim found in JWT but no audiences bound to the role'
    assert.equal((await logInWith(mount)).error, refused)
    assert.equal((await logInWith(mount, { aud: ['us'] })).error, refused)
    assert.equal((await logInWith(mount, { aud: [] })).status, 200)
    assert.equal((await logInWith(mount, { aud: undefined })).status, 200)
  })

  it('fails for kinds of claims that are no user, group or metadata', async () => {
    const mount = await mounted({ groups_claim: '/g/list', claim_mappings: { m: 'm' } })
    const refusal = async (more: Readonly<Record<string, unknown>>): Promise<unknown> =>
      (await logInWith(mount, more)).error
    const g = { list: ['x'] }
    assert.equal(await refusal({ g, sub: undefined }), 'claim "sub" not found in token')
    assert.match(String(await refusal({ g, sub: 5 })), /cannot unmarshal number .* Claims\.sub/)
    assert.equal(await refusal({ g, m: 5 }), "error converting claim 'm' to string")
    assert.equal(await refusal({}), 'failed to fetch groups: "/g/list" claim not found in token')
    assert.equal(
      await refusal({ g: { list: {} } }),
      '"/g/list" claim could not be converted to string list',
    )
    const bad = (value: string): string =>
      `value ${value} in groups claim could not be parsed as string`
    assert.equal(await refusal({ g: { list: 7 } }), bad('7'))
    assert.equal(await refusal({ g: { list: ['a', true] } }), bad('true'))
    assert.equal(await refusal({ g: { list: [{ k: [1.5] }] } }), bad('map[k:[1.5]]'))
    assert.deepEqual((await logInWith(mount, { g: { list: 'one' } })).login?.groupAliases, ['one'])
  })

  it('compares bound claims by value and type, any of a list with any of a list', async () => {
    const mount = await mounted({
      bound_claims: { level: [1, 3], admin: true, team: ['red', 'blue'] },
    })
    const good = { level: 3, admin: true, team: ['green', 'blue'] }
    assert.equal((await logInWith(mount, good)).status, 200)
    for (const [name, value] of [
      ['level', '3'],
      ['level', 3.5],
      ['admin', 'true'],
      ['admin', 1],
      ['team', ['green']],
      ['team', []],
      ['team', { red: 1 }],
    ] as const) {
      assert.equal(
        (await logInWith(mount, { ...good, [name]: value })).error,
        `error validating claims: claim "${name}" does not match any associated bound claim values`,
      )
    }
    assert.equal(
      (await logInWith(mount, { ...good, team: undefined })).error,
      'error validating claims: claim "team" is missing',
    )
  })

  it('matches globs against texts only', async () => {
    const mount = await mounted({ bound_claims_type: 'glob', bound_claims: { team: 're*' } })
    assert.equal((await logInWith(mount, { team: ['blue', 'red'] })).status, 200)
    assert.equal((await logInWith(mount, { team: 'blue' })).status, 400)
    assert.equal((await logInWith(mount, { team: [5] })).status, 400)
  })

  it('fills claims into policies when the role says so', async () => {
    const mount = await mounted({
      token_policies: ['team-{{ .team }}', '{{ .empty }}', 'plain'],
      token_policies_template_claims: true,
    })
    const { login } = await logInWith(mount, { team: 'red', empty: '' })
    assert.deepEqual(login?.token.policies, ['team-red', 'plain'])
    const { status, error } = await logInWith(mount, { empty: '' })
    assert.equal(status, 500)
    assert.match(error ?? '', /no entry for key "team"/)
  })

  it('is refused from an address that the role does not take', async () => {
    const mount = await mounted({ token_bound_cidrs: '10.0.0.0/8' })
    assert.equal((await logInWith(mount)).status, 403)
    mount.remoteAddress = '10.1.2.3'
    assert.equal((await logInWith(mount)).status, 200)
  })

  it('is refused with its reason when configuration, role or token is missing', async () => {
    const bare = fakeMount(jwtEngines()[0]!)
    assert.equal((await logIn(bare, 'x')).error, 'could not load configuration')
    const mount = await mounted()
    assert.equal((await logIn(mount, 'x', '')).error, 'missing role')
    assert.equal((await logIn(mount, 'x', 'Nobody')).error, 'role "nobody" could not be found')
    assert.equal((await logIn(mount, '')).error, 'missing token')
    await mount.ask('create', 'role/o', {
      role_type: 'oidc',
      user_claim: 'sub',
      allowed_redirect_uris: 'http://localhost/cb',
    })
    assert.equal((await logIn(mount, 'x', 'o')).error, 'role with oidc role_type is not allowed')
  })

  it('uses the default role of the configuration, whatever its case', async () => {
    const mount = await mounted({}, { default_role: 'R' })
    const jwt = issuer.token(claimsOf(mount))
    assert.equal((await logIn(mount, jwt, '')).status, 200)
    assert.equal((await logIn(mount, jwt, 'R')).status, 200)
  })

  it('is renewed with the lifetimes that its role has by then, and not without the role', async () => {
    const mount = await mounted({ token_ttl: '5m' })
    await mount.ask('update', 'role/r', {
      role_type: 'jwt',
      token_ttl: '7m',
      token_max_ttl: '9m',
      token_period: '3m',
    })
    assert.deepEqual(await mount.renew({ role: 'r' }), { ttl: 420, maxTtl: 540, period: 180 })
    await mount.ask('delete', 'role/r')
    await assert.rejects(mount.renew({ role: 'r' }), {
      message: 'role r does not exist during renewal',
    })
  })
})
