import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { fakeMount, newSigner } from './fake-mount.ts'
import { jwtEngines } from './index.ts'

const mounted = () => fakeMount(jwtEngines()[0]!)
const { pem } = newSigner('ES256')

describe('the configuration', () => {
  it('takes public keys that tokens can be signed with, and nothing else', async () => {
    const mount = mounted()
    const spki = { type: 'spki', format: 'pem' } as const
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const good = [
      pem,
      newSigner('EdDSA').pem,
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string,
    ]
    assert.equal(
      (await mount.ask('update', 'config', { jwt_validation_pubkeys: good })).status,
      204,
    )
    const bad = [
      rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
      generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey.export(spki) as string,
      generateKeyPairSync('x25519').publicKey.export(spki) as string,
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export(spki) as string,
      pem.replace('MF', 'MG'),
    ]
    for (const key of bad) {
      const { error } = await mount.ask('update', 'config', { jwt_validation_pubkeys: [pem, key] })
      assert.equal(error, 'error parsing public key: data does not contain any valid public keys')
    }
    const read = await mount.ask('read', 'config')
    assert.deepEqual(
      read.data?.['jwt_validation_pubkeys'],
      good.map((key) => key.trim()),
    )
  })

  it('never shows the client secret', async () => {
    const mount = mounted()
    const refused = await mount.ask('update', 'config', {
      oidc_discovery_url: 'http://127.0.0.1:1',
      oidc_client_id: 'us',
      oidc_client_secret: 'hidden',
      skip_jwks_validation: true,
    })
    assert.deepEqual(refused.warnings, ['error checking oidc discovery URL'])
    const read = await mount.ask('read', 'config')
    assert.equal(read.data?.['oidc_client_id'], 'us')
    assert.ok(!JSON.stringify(read).includes('hidden'))
  })

  it('keeps namespace_in_state over writes that do not name it', async () => {
    const mount = mounted()
    const write = (more: Readonly<Record<string, boolean>> = {}) =>
      mount.ask('update', 'config', { jwt_validation_pubkeys: pem, ...more })
    const shown = async () => (await mount.ask('read', 'config')).data?.['namespace_in_state']
    await write()
    assert.equal(await shown(), true)
    await write({ namespace_in_state: false })
    await write()
    assert.equal(await shown(), false)
  })

  it('is refused whole', async () => {
    const mount = mounted()
    for (const [body, error] of [
      [
        { oidc_client_id: 'a', oidc_client_secret: 'b' },
        /^'oidc_discovery_url' must be set for OIDC/,
      ],
      [{ provider_config: { provider: 'azure' } }, /provider "azure" is not supported/],
      [{ provider_config: { x: 1 } }, /^invalid provider_config/],
      [{ jwt_supported_algs: 'HS256' }, /unsupported signing algorithm "HS256"/],
      [{ jwt_supported_algs: 'none' }, /unsupported signing algorithm "none"/],
      [{ oidc_response_types: 'code,zap,x' }, /^invalid response_types \[code zap x\]/],
    ] as const) {
      const refused = await mount.ask('update', 'config', { jwt_validation_pubkeys: pem, ...body })
      assert.equal(refused.status, 400)
      assert.match(refused.error ?? '', error)
    }
    assert.equal((await mount.ask('read', 'config')).status, 404)
  })

  it('is the same method under both names', async () => {
    assert.deepEqual(
      jwtEngines().map(({ type }) => type),
      ['jwt', 'oidc'],
    )
    const mount = fakeMount(jwtEngines()[1]!)
    assert.equal((await mount.ask('update', 'config', { jwt_validation_pubkeys: pem })).status, 204)
  })
})
