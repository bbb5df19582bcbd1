import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { ALGORITHM_NAMES } from './algorithms.ts'
import {
  createOidcHarness,
  faultOf,
  makeRole,
  must,
  partOf,
  publishedIds,
  tokenOf,
} from './testing.ts'

const ISSUER = 'https://signet.example:8200/v1/identity/oidc'
const BAD_SIGNATURE = 'unable to validate the token signature'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with another header or other claims and the signature it had. */
const altered = (
  token: string,
  index: 0 | 1,
  change: Readonly<Record<string, unknown>>,
): string => {
  const parts = token.split('.')
  parts[index] = part({ ...partOf(token, index), ...change })
  return parts.join('.')
}

describe('identity tokens', () => {
  it('verify with jose against the published keys, in every algorithm', async () => {
    const harness = await createOidcHarness()
    for (const algorithm of ALGORITHM_NAMES) {
      await must(harness, `oidc/key/${algorithm}`, { algorithm, allowed_client_ids: '*' })
      await must(harness, 'oidc/role/r', { key: algorithm, client_id: 'app' })
      const token = await tokenOf(harness)
      const { data } = await harness.request('read', 'oidc/.well-known/keys')
      const { payload, protectedHeader } = await jwtVerify(
        token,
        createLocalJWKSet(data as unknown as JSONWebKeySet),
        { issuer: ISSUER, audience: 'app', currentDate: new Date(harness.now) },
      )
      assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid'])
      assert.equal(protectedHeader.alg, algorithm)
      const iat = Math.floor(harness.now / 1000)
      assert.deepEqual(payload, {
        iss: ISSUER,
        namespace: 'root',
        sub: harness.entityId,
        aud: 'app',
        iat,
        exp: iat + 86_400,
      })
      assert.equal(await faultOf(harness, token), '')
    }
  })

  it('verify with node:crypto alone', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const token = await tokenOf(harness)
    const { data } = await harness.request('read', 'oidc/.well-known/keys')
    const jwk = data['keys'].find(({ kid }: { kid: string }) => kid === partOf(token, 0)['kid'])
    const [header, claims, signature] = token.split('.')
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    assert.ok(
      verify(
        'sha256',
        Buffer.from(`${header}.${claims}`),
        { key, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature!, 'base64url'),
      ),
    )
    assert.deepEqual(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it('carry what the template says of the entity', async () => {
    const harness = await createOidcHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    await must(harness, 'entity-alias', {
      name: 'ann@x',
      canonical_id: harness.entityId,
      mount_accessor: mount.accessor,
      custom_metadata: { seat: '4' },
    })
    await must(harness, 'group', { name: 'crew', member_entity_ids: [harness.entityId] })
    await makeRole(
      harness,
      {},
      {
        template: `{"n": {{identity.entity.name}}, "t": {{identity.entity.metadata.team}},
        "g": {{identity.entity.groups.names}}, "u": {{identity.entity.aliases.${mount.accessor}.name}},
        "s": {{identity.entity.aliases.${mount.accessor}.custom_metadata.seat}}, "jti": "mine", "big": 12345678901234567890}`,
      },
    )
    const claims = partOf(await tokenOf(harness), 1)
    assert.deepEqual(
      [claims['n'], claims['t'], claims['g'], claims['u'], claims['s'], claims['jti']],
      ['ann', 'red', ['crew'], 'ann@x', '4', 'mine'],
    )
    assert.equal(claims['sub'], harness.entityId)
  })

  it('of a merged entity speak for the survivor', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const { data } = await must(harness, 'entity', { name: 'survivor' })
    await must(harness, 'entity/merge', {
      to_entity_id: data['id'],
      from_entity_ids: [harness.entityId],
    })
    assert.equal(partOf(await tokenOf(harness), 1)['sub'], data['id'])
  })

  it('are refused in the recorded order', async () => {
    const harness = await createOidcHarness()
    const ask = async (): Promise<string> =>
      (await harness.request('read', 'oidc/token/r', {}, { caller: harness.callerOf('') })).error
    assert.equal(await ask(), 'role "r" not found')
    await makeRole(harness, { allowed_client_ids: 'other' })
    assert.match(await ask(), /does not list the client ID of the role "r"/)
    await must(harness, 'oidc/key/k', { allowed_client_ids: '*' })
    assert.equal(await ask(), "no entity associated with the request's token")
  })

  it('are inactive when forged: none, HMAC with the public key, foreign keys, changed claims', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const token = await tokenOf(harness)
    const [header, claims] = token.split('.')
    const { data } = await harness.request('read', 'oidc/.well-known/keys')
    const [jwk] = data['keys']
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
    const { kid } = jwk

    for (const alg of ['none', 'None', '', 'HS256']) {
      const forged = `${part({ alg, kid })}.${claims}.`
      assert.match(await faultOf(harness, forged), /^error parsing token: unexpected signature/)
    }
    const hmacHeader = part({ alg: 'HS256', kid })
    const mac = createHmac('sha256', pem).update(`${hmacHeader}.${claims}`).digest('base64url')
    assert.match(
      await faultOf(harness, `${hmacHeader}.${claims}.${mac}`),
      /unexpected signature algorithm "HS256"/,
    )
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const signed = Buffer.from(`${header}.${claims}`)
    const wrong = sign('sha256', signed, { key: foreign, dsaEncoding: 'ieee-p1363' })
    assert.equal(
      await faultOf(harness, `${header}.${claims}.${wrong.toString('base64url')}`),
      BAD_SIGNATURE,
    )
    for (const forged of [
      altered(token, 1, { sub: 'someone-else' }),
      altered(token, 0, { alg: 'RS256' }),
      altered(token, 0, { alg: 'PS256' }),
      altered(token, 0, { kid: 'another' }),
      altered(token, 0, { kid: undefined }),
      altered(token, 0, { jwk }),
      altered(token, 0, { crit: ['exp'] }),
      `${header}.${claims}.`,
      `${header}.${claims}.${'A'.repeat(86)}`,
    ]) {
      assert.equal(await faultOf(harness, forged), BAD_SIGNATURE, forged)
    }
  })

  it('are inactive with a signature that names the algorithm of another key', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    await must(harness, 'oidc/key/ed', { algorithm: 'EdDSA', allowed_client_ids: '*' })
    await must(harness, 'oidc/role/ed', { key: 'ed' })
    const token = await tokenOf(harness)
    const other = (await harness.request('read', 'oidc/token/ed', {}, { caller: harness.caller }))
      .data['token'] as string
    const [, claims, signature] = token.split('.')
    const mixed = `${other.split('.')[0]}.${claims}.${signature}`
    assert.equal(await faultOf(harness, mixed), BAD_SIGNATURE)
  })

  it('are inactive outside their time, with a minute for clocks, for another audience or issuer', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, {}, { ttl: '1m', client_id: 'app' })
    const token = await tokenOf(harness)
    const audience = await harness.request('update', 'oidc/introspect', { token, client_id: 'b' })
    assert.match(audience.data['error'], /invalid audience claim \(aud\)$/)
    harness.now += 119_000
    assert.equal(await faultOf(harness, token), '')
    harness.now += 1000
    assert.match(await faultOf(harness, token), /token is expired \(exp\)$/)
    harness.now -= 200_000
    assert.match(await faultOf(harness, token), /token issued in the future \(iat\)$/)
    await must(harness, 'oidc/config', { issuer: 'https://else.example' })
    assert.match(await faultOf(harness, token), /invalid issuer claim \(iss\)$/)
  })

  it('are inactive when their entity is disabled or gone', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const token = await tokenOf(harness)
    await must(harness, `entity/id/${harness.entityId}`, { disabled: true })
    assert.equal(await faultOf(harness, token), 'entity is disabled')
    await harness.request('delete', `entity/id/${harness.entityId}`)
    assert.equal(await faultOf(harness, token), 'entity was not found')
  })

  it('are taken apart without harm, whatever they are', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    for (const token of ['', '.', '..', '...', 'a.b.c', 'é.é.é', `${part(null)}.e30.`, '\u0000']) {
      assert.match(await faultOf(harness, token), /^error parsing token: /, token)
    }
    assert.match(await faultOf(harness, 'A'.repeat(300_000)), /the token is too long$/)
  })

  it('never show a private key: what is published has public members only', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { algorithm: 'RS256' })
    const { data, headers } = await harness.request('read', 'oidc/.well-known/keys')
    for (const jwk of data['keys']) {
      assert.deepEqual(Object.keys(jwk).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
    }
    assert.match(headers['Cache-Control']!, /^max-age=\d+$/)
    await harness.request('delete', 'oidc/role/r')
    assert.deepEqual(await publishedIds(harness), [])
  })
})
