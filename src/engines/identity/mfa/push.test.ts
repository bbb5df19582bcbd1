import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { createHarness, ROOT } from '../testing.ts'
import type { SeenRequest } from './fake-provider.ts'
import { startFakeProvider } from './fake-provider.ts'
import { createMfa } from './index.ts'

const setUp = async (t: { after(end: () => Promise<void>): void }, usernameFormat: string) => {
  const provider = await startFakeProvider(({ path, body }: SeenRequest) => {
    const known = new URLSearchParams(body).get('username') === 'bob@acme'
    const response = path === '/auth/v2/preauth' ? { result: known ? 'allow' : 'deny' } : {}
    return { body: JSON.stringify({ stat: 'OK', response }) }
  })
  t.after(() => provider.close())
  const harness = createHarness()
  const mount = await harness.mounts.enable('auth/userpass/')
  const { entityId } = await harness.login(mount, 'bob', { metadata: { mail: 'bob@acme' } })
  const made = await harness.request('update', 'mfa/method/duo', {
    secret_key: 's',
    integration_key: 'i',
    api_hostname: 'api.duo.example',
    username_format: usernameFormat.replace('ACCESSOR', mount.accessor),
  })
  const methodId = String(made.data['method_id'])
  await harness.request('update', 'mfa/login-enforcement/push', {
    mfa_method_ids: [methodId],
    auth_method_accessors: [mount.accessor],
  })
  const { port } = createMfa(harness.mounts, provider.outside)
  const { names, now, records } = harness
  const scope = { names, now, namespace: ROOT, records, remoteAddress: '192.0.2.7' }
  const constraints = await port.required(records, scope, { mount, entityId })
  const login = { requestId: randomUUID(), entityId, heldAt: now, carried: undefined }
  return {
    harness,
    methodId,
    seen: provider.seen,
    prove: () => port.prove(scope, login, constraints, new Map([[methodId, []]])),
  }
}

describe('a push', () => {
  it('goes to the user that the template of the method names', async (t) => {
    const { prove, seen } = await setUp(t, '{{identity.entity.aliases.ACCESSOR.metadata.mail}}')
    await prove()
    assert.equal(new URLSearchParams(seen[0]!.body).get('username'), 'bob@acme')
  })

  it('goes nowhere when the template has no value, and fails for an unknown user', async (t) => {
    const texts = [
      ['{{identity.entity.metadata.mail}}', /no value could be found/],
      ['{{identity.entity.aliases.ACCESSOR.metadata.constructor}}', /no value could be found/],
      ['{{identity.entity.aliases.nowhere.name}}', /alias not found/],
      ['{{identity.entity.name', /unbalanced templating characters/],
      ['}}{{identity.entity.name}}', /unbalanced templating characters/],
    ] as const
    for (const [template, text] of texts) {
      const { prove, seen } = await setUp(t, template)
      await assert.rejects(prove(), text)
      assert.equal(seen.length, 0)
    }
    const { prove, seen } = await setUp(t, '')
    await assert.rejects(prove(), /failed to satisfy enforcement push\. error: 2 errors occurred/)
    assert.equal(seen.length, 1)
  })
})

describe('methods of providers', () => {
  it('never show their secrets', async (t) => {
    const { harness, methodId } = await setUp(t, '')
    const shown = [
      await harness.request('read', `mfa/method/duo/${methodId}`),
      await harness.request('read', `mfa/method/${methodId}`),
      await harness.request('list', 'mfa/method'),
    ]
    const okta = await harness.request('update', 'mfa/method/okta', {
      org_name: 'acme',
      api_token: 'very-secret',
      production: true,
    })
    const id = String(okta.data['method_id'])
    const read = await harness.request('read', `mfa/method/okta/${id}`)
    assert.deepEqual(read.data, {
      type: 'okta',
      id,
      name: '',
      namespace_id: 'root',
      namespace_path: '',
      org_name: 'acme',
      production: true,
      mount_accessor: '',
      username_format: '',
    })
    assert.deepEqual(shown[0]!.data, {
      type: 'duo',
      id: methodId,
      name: '',
      namespace_id: 'root',
      namespace_path: '',
      api_hostname: 'api.duo.example',
      pushinfo: '',
      mount_accessor: '',
      username_format: '',
      use_passcode: false,
    })
    assert.doesNotMatch(JSON.stringify([...shown, read]), /very-secret|secret_key|integration_key/)
  })

  it('are refused without what they need, and where a name is taken by another', async () => {
    const harness = createHarness()
    const host = { org_name: 'a/b', api_token: 't' }
    const refused = [
      ['okta', {}, 400, 'org_name must be set'],
      ['okta', { org_name: 'a' }, 400, 'api_token must be set'],
      ['okta', host, 400, 'org_name must be a part of a host name'],
      [
        'okta',
        { org_name: 'a', api_token: 't', base_url: 'x@evil' },
        400,
        'base_url must be a host name',
      ],
      ['duo', {}, 400, 'secret_key is empty'],
      ['duo', { secret_key: 's' }, 400, 'integration_key is empty'],
      ['duo', { secret_key: 's', integration_key: 'i' }, 400, 'api_hostname is empty'],
      ['pingid', {}, 400, 'settings_file_base64 is empty'],
      ['totp', { issuer: 'x', qr_size: 100_000 }, 400, 'qr_size must be between 0 and 2048'],
      ['totp', { issuer: 'x', key_size: 1_000_000 }, 400, 'key_size must be at most 128'],
    ] as const
    for (const [type, body, status, text] of refused) {
      const answer = await harness.request('update', `mfa/method/${type}`, body)
      assert.deepEqual([answer.status, answer.error], [status, text])
    }
    const method = { issuer: 'x', method_name: 'n' }
    const first = await harness.request('update', 'mfa/method/totp', method)
    const second = await harness.request('update', 'mfa/method/totp', { issuer: 'y' })
    const id = String(second.data['method_id'])
    const taken = await harness.request('update', `mfa/method/totp/${id}`, method)
    assert.equal(taken.status, 500)
    assert.match(taken.error, /with the method name n already exists/)
    const unknown = `mfa/method/totp/${randomUUID()}`
    assert.equal((await harness.request('update', unknown, method)).status, 204)
    assert.equal((await harness.request('read', unknown)).status, 404)
    // The name follows the method, and is free again.
    await harness.request('update', `mfa/method/totp/${first.data['method_id']}`, { issuer: 'x' })
    assert.equal((await harness.request('update', `mfa/method/totp/${id}`, method)).status, 204)
  })
})
