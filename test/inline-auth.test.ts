import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Json } from '../src/std/json.ts'
import type { Node, NodeAnswer, NodeRequest } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'
import { authenticator, textOf } from './support/second-factor.ts'

const POLICY = `
path "secret/data/{{identity.entity.name}}/*" { capabilities = ["create", "read", "update"] }
path "auth/token/*" { capabilities = ["create", "read", "update", "sudo"] }
path "auth/userpass/login/*" { capabilities = ["update"] }
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }`

type Ask = Omit<NodeRequest, 'inlineAuth'> & { readonly password?: string }

/** A node where ann may log in, and what she asks for with her login along. */
const setUp = async (t: { after(end: () => Promise<void>): void }) => {
  const [node] = (await startNodes(1)) as readonly [Node]
  t.after(() => node.close())
  const ok = async (answer: Promise<NodeAnswer>): Promise<NodeAnswer> => {
    const got = await answer
    assert.ok(got.status < 300, got.errors.join())
    return got
  }
  await ok(node.write('sys/auth/userpass', { type: 'userpass' }))
  await ok(node.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } }))
  await ok(node.write('sys/policies/acl/own', { policy: POLICY }))
  await ok(
    node.write('auth/userpass/users/ann', {
      password: 'pw1',
      token_policies: 'own',
      token_bound_cidrs: '127.0.0.0/8',
    }),
  )
  const { entityId } = (await ok(node.write('auth/userpass/login/ann', { password: 'pw1' }, '')))
    .auth
  await ok(node.write(`identity/entity/id/${entityId}`, { name: 'ann' }))
  await ok(node.write('secret/data/ann/x', { data: { a: 'b' } }))
  await ok(node.write('secret/data/bob/x', { data: { a: 'b' } }))
  const asAnn = ({ password = 'pw1', ...request }: Ask): Promise<NodeAnswer> =>
    node.ask({
      ...request,
      token: '',
      inlineAuth: { path: 'auth/userpass/login/ann', operation: 'update', data: { password } },
    })
  const accessors = async (): Promise<number> =>
    (
      (await ok(node.ask({ operation: 'list', path: 'auth/token/accessors/' }))).data[
        'keys'
      ] as Json[]
    ).length
  return { node, ok, asAnn, accessors, entityId }
}

const refused = (answer: NodeAnswer, status: number, text: RegExp): void => {
  assert.equal(answer.status, status, answer.errors.join())
  assert.match(answer.errors.join(), text)
}

describe('a request with its login along', () => {
  it('is answered as one with a token of that login, which is stored nowhere', async (t) => {
    const { asAnn, accessors, ok } = await setUp(t)
    const before = await accessors()
    const { data } = await ok(asAnn({ path: 'secret/data/ann/x' }))
    assert.deepEqual((data['data'] as Record<string, Json>)['a'], 'b')
    await ok(asAnn({ operation: 'update', path: 'secret/data/ann/y', data: { data: { c: 1 } } }))
    refused(await asAnn({ path: 'secret/data/bob/x' }), 403, /permission denied/)
    assert.equal(await accessors(), before)
  })

  it('is not carried out where the login fails, and says so', async (t) => {
    const { node, asAnn, entityId, ok } = await setUp(t)
    const write = { operation: 'update', path: 'secret/data/ann/z', data: { data: {} } } as const
    const wrong = await asAnn({ ...write, password: 'bad' })
    refused(wrong, 400, /^invalid username or password$/)
    assert.deepEqual(wrong.headers, { 'X-Vault-Inline-Auth-Failed': 'true' })
    refused(await asAnn({ ...write, remoteAddress: '10.1.1.1' }), 403, /permission denied/)
    await ok(node.write(`identity/entity/id/${entityId}`, { disabled: true }))
    refused(await asAnn(write), 403, /permission denied/)
    assert.equal((await node.read('secret/data/ann/z')).status, 404)
  })

  it('leaves nothing behind that would need its token', async (t) => {
    const { node, asAnn, accessors, ok } = await setUp(t)
    const before = await accessors()
    refused(await asAnn({ path: 'auth/token/lookup-self' }), 403, /bad token/)
    const update = { operation: 'update', data: {} } as const
    for (const path of ['auth/token/create', 'auth/token/create-orphan']) {
      refused(await asAnn({ ...update, path }), 400, /parent token lookup failed: no parent found/)
    }
    refused(await asAnn({ ...update, path: 'auth/token/lookup' }), 403, /bad token/)
    refused(await asAnn({ ...update, path: 'auth/token/renew-self' }), 400, /token not found/)
    await ok(asAnn({ ...update, path: 'auth/token/revoke-self' }))
    const login = { path: 'auth/userpass/login/ann', data: { password: 'pw1' } }
    refused(
      await asAnn({ ...update, ...login }),
      400,
      /requests with inline authentication cannot generate leases/,
    )
    await ok(asAnn({ ...update, path: 'cubbyhole/x', data: { a: 1 } }))
    assert.equal((await asAnn({ path: 'cubbyhole/x' })).status, 404)
    assert.equal((await asAnn({ operation: 'list', path: 'cubbyhole/' })).status, 404)
    await ok(asAnn({ operation: 'delete', path: 'cubbyhole/x' }))
    assert.equal(await accessors(), before)
    const wrapped = await ok(asAnn({ path: 'secret/data/ann/x', wrapTtlSeconds: 60 }))
    await ok(node.write('sys/wrapping/unwrap', {}, wrapped.wrapToken!))
  })

  it('gives the answer of a path that is no login, and is not carried out', async (t) => {
    const { node } = await setUp(t)
    const ask = (path: string): Promise<NodeAnswer> =>
      node.ask({
        path: 'secret/data/ann/x',
        token: '',
        inlineAuth: { path, operation: 'read', data: {} },
      })
    refused(await ask('secret/data/ann/x'), 403, /^permission denied$/)
    refused(await ask('auth/nope/login'), 403, /^permission denied$/)
    refused(
      await ask('auth/userpass/login/ann'),
      405,
      /^failed to perform inline authentication: unsupported operation$/,
    )
    const open = await ask('sys/internal/ui/mounts')
    assert.equal(open.status, 200)
    assert.deepEqual(open.headers, { 'X-Vault-Inline-Auth-Failed': 'true' })
    assert.ok('auth' in open.data)
  })

  it('is answered with what a second factor needs, or takes it along', async (t) => {
    const { node, asAnn, entityId, ok } = await setUp(t)
    const method = await ok(
      node.write('identity/mfa/method/totp', { issuer: 'acme', method_name: 'app' }),
    )
    const methodId = textOf(method, 'method_id')
    const enrolled = await node.write('identity/mfa/method/totp/admin-generate', {
      method_id: methodId,
      entity_id: entityId,
    })
    await ok(
      node.write('identity/mfa/login-enforcement/all', {
        mfa_method_ids: [methodId],
        auth_method_types: ['userpass'],
      }),
    )
    const waiting = await asAnn({ path: 'secret/data/ann/x' })
    assert.ok(waiting.requirement !== undefined)
    assert.deepEqual(waiting.headers, { 'X-Vault-Inline-Auth-Failed': 'true' })
    const code = authenticator(enrolled).at(Date.now())
    const done = await asAnn({
      path: 'secret/data/ann/x',
      mfaHeaders: [{ method: 'app', value: code }],
    })
    assert.equal(done.status, 200, done.errors.join())
  })

  it('has the entries of both in the audit log, and never the password', async (t) => {
    const { node, asAnn, ok } = await setUp(t)
    const folder = mkdtempSync(join(tmpdir(), 'signet-inline-'))
    t.after(async () => rmSync(folder, { recursive: true }))
    const file = join(folder, 'audit.log')
    await ok(node.write('sys/audit/file', { type: 'file', options: { file_path: file } }))
    await ok(asAnn({ path: 'secret/data/ann/x' }))
    const text = readFileSync(file, 'utf8')
    assert.ok(!text.includes('pw1'))
    const entries = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, any>)
      .filter(
        ({ request }) => request.path !== 'sys/audit/file' && request.path !== 'sys/audit/test',
      )
    assert.deepEqual(
      entries.map(({ type, request }) => `${type} ${request.path}`),
      [
        'request auth/userpass/login/ann',
        'response auth/userpass/login/ann',
        'request secret/data/ann/x',
        'response secret/data/ann/x',
      ],
    )
    const [, login, , read] = entries
    assert.equal(read!['auth'].accessor, login!['response'].auth.accessor)
    assert.equal(read!['auth'].client_token, login!['response'].auth.client_token)
    assert.equal(read!['auth'].entity_id, login!['response'].auth.entity_id)
  })
})
