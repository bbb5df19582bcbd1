import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Json } from '../src/std/json.ts'
import type { Node, NodeAnswer } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'

const setUp = async (t: { after(end: () => Promise<void>): void }, count = 1) => {
  const nodes = await startNodes(count)
  t.after(async () => {
    for (const node of nodes) await node.close()
  })
  const [node, other] = nodes as readonly [Node, Node]
  const ok = async (answer: Promise<NodeAnswer>): Promise<NodeAnswer> => {
    const got = await answer
    assert.ok(got.status < 300, got.errors.join())
    return got
  }
  const rule = (name: string, fields: Readonly<Record<string, Json>>) =>
    ok(node.write(`sys/quotas/rate-limit/${name}`, { interval: '1h', ...fields }))
  /** The statuses of so many requests like this. */
  const ask = async (times: number, run: () => Promise<NodeAnswer>): Promise<readonly number[]> => {
    const statuses: number[] = []
    for (let time = 0; time < times; time++) statuses.push((await run()).status)
    return statuses
  }
  await ok(node.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } }))
  return { node, other, ok, rule, ask }
}

describe('rules for the rate of requests', () => {
  it('count by the most precise one, each client for itself', async (t) => {
    const { node, rule, ask } = await setUp(t)
    await rule('all', { rate: 100 })
    await rule('mount', { rate: 3, path: 'secret' })
    await rule('start', { rate: 2, path: 'secret/data/team/*' })
    await rule('path', { rate: 1, path: 'secret/data/team/x' })
    const read =
      (path: string, remoteAddress = '10.0.0.1') =>
      () =>
        node.ask({ path, remoteAddress })
    assert.deepEqual(await ask(2, read('secret/data/team/x')), [404, 429])
    assert.deepEqual(await ask(3, read('secret/data/team/y')), [404, 404, 429])
    assert.deepEqual(await ask(4, read('secret/data/z')), [404, 404, 404, 429])
    assert.deepEqual(await ask(2, read('secret/data/team/x', '10.0.0.2')), [404, 429])
    assert.deepEqual(await ask(2, read('sys/mounts')), [200, 200])
  })

  it('count logins to one role', async (t) => {
    const { node, ok, rule, ask } = await setUp(t)
    await ok(node.write('sys/auth/approle', { type: 'approle' }))
    const ids: Record<string, Json> = {}
    for (const role of ['one', 'two']) {
      await ok(
        node.write(`auth/approle/role/${role}`, {
          bind_secret_id: false,
          secret_id_bound_cidrs: '0.0.0.0/0',
        }),
      )
      ids[role] = (await ok(node.read(`auth/approle/role/${role}/role-id`))).data['role_id']!
    }
    await rule('one', { rate: 2, path: 'auth/approle/', role: 'one' })
    const login = (role: string) => () =>
      node.write('auth/approle/login', { role_id: ids[role]! }, '')
    assert.deepEqual(await ask(3, login('one')), [200, 200, 429])
    assert.deepEqual(await ask(3, login('two')), [200, 200, 200])
    assert.deepEqual(await ask(1, () => node.read('auth/approle/role/one')), [200])
    const refusal = async (path: string, text: RegExp): Promise<void> => {
      const { status, errors } = await node.write('sys/quotas/rate-limit/bad', {
        rate: 1,
        path,
        role: 'r',
      })
      assert.equal(status, 400)
      assert.match(errors.join(), text)
    }
    await refusal('auth/token', /does not support use with role-based quotas/)
    await refusal('secret', /is not a valid auth method/)
  })

  it('hold for a login that comes along with a request, and for the request', async (t) => {
    const { node, ok, rule, ask } = await setUp(t)
    await ok(node.write('sys/auth/userpass', { type: 'userpass' }))
    await ok(node.write('auth/userpass/users/ann', { password: 'pw' }))
    await rule('guesses', { rate: 2, path: 'auth/userpass' })
    const guess = () =>
      node.ask({
        path: 'secret/data/x',
        token: '',
        remoteAddress: '10.0.0.1',
        inlineAuth: {
          path: 'auth/userpass/login/ann',
          operation: 'update',
          data: { password: 'bad' },
        },
      })
    assert.deepEqual(await ask(3, guess), [400, 400, 429])
  })

  it('follow a mount that moves, and end with it', async (t) => {
    const { node, ok, rule, ask } = await setUp(t)
    await rule('mount', { rate: 1, path: 'secret/data/x' })
    await ok(node.write('sys/remount', { from: 'secret', to: 'moved' }))
    assert.equal((await ok(node.read('sys/quotas/rate-limit/mount'))).data['path'], 'moved/data/x')
    assert.deepEqual(await ask(2, () => node.read('moved/data/x')), [404, 429])
    await ok(node.delete('sys/mounts/moved'))
    assert.equal((await node.read('sys/quotas/rate-limit/mount')).status, 404)
    await ok(node.write('sys/mounts/moved', { type: 'kv', options: { version: '2' } }))
    assert.deepEqual(await ask(3, () => node.read('moved/data/x')), [404, 404, 404])
  })

  it('hold on another node with its next request, as do exempt paths and headers', async (t) => {
    const { node, other, ok, rule, ask } = await setUp(t, 2)
    const read = () => other.read('secret/data/x')
    assert.deepEqual(await ask(1, read), [404])
    await rule('mount', { rate: 2, path: 'secret' })
    assert.deepEqual(await ask(3, read), [404, 404, 429])
    await ok(node.write('sys/quotas/config', { enable_rate_limit_response_headers: true }))
    const { headers } = await read()
    assert.equal(headers['X-RateLimit-Limit'], '2')
    assert.equal(headers['X-RateLimit-Remaining'], '0')
    assert.ok(Number(headers['Retry-After']) > 3_000)
    await ok(node.write('sys/quotas/config', { rate_limit_exempt_paths: ['secret/data/*'] }))
    assert.deepEqual(await ask(2, read), [404, 404])
    await ok(node.delete('sys/quotas/rate-limit/mount'))
    await ok(node.write('sys/quotas/config', {}))
    assert.deepEqual(await ask(3, read), [404, 404, 404])
  })

  it('leave a line in the audit log for what they refuse, if wanted', async (t) => {
    const { node, ok, rule, ask } = await setUp(t)
    const folder = mkdtempSync(join(tmpdir(), 'signet-quotas-'))
    t.after(async () => rmSync(folder, { recursive: true }))
    const file = join(folder, 'audit.log')
    await ok(node.write('sys/audit/file', { type: 'file', options: { file_path: file } }))
    await rule('mount', { rate: 1, path: 'secret' })
    const lines = () =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, any>)
        .filter(({ request }) => request.path.startsWith('secret/'))
    assert.deepEqual(await ask(2, () => node.read('secret/data/x')), [404, 429])
    assert.equal(lines().length, 2)
    await ok(node.write('sys/quotas/config', { enable_rate_limit_audit_logging: true }))
    assert.deepEqual(await ask(1, () => node.read('secret/data/x')), [429])
    const [, , refused, ...more] = lines()
    assert.deepEqual(more, [])
    assert.match(refused!['error'], /rate limit quota exceeded/)
  })

  it('are told from one another by what they hold for, and are at most a thousand', async (t) => {
    const { node, ok } = await setUp(t)
    const write = (name: string, fields: Readonly<Record<string, Json>>) =>
      node.write(`sys/quotas/rate-limit/${name}`, fields)
    await ok(write('a', { rate: 1e9 }))
    await ok(write('a', { rate: 2e9 }))
    const twin = await write('b', { rate: 1 })
    assert.match(twin.errors.join(), /quota rule with similar properties exists under the name "a"/)
    await Promise.all(
      Array.from({ length: 999 }, (_, n) =>
        ok(write(`n${n}`, { rate: 1, path: `secret/data/${n}` })),
      ),
    )
    const last = await write('last', { rate: 1, path: 'secret/data/last' })
    assert.equal(last.status, 400)
    assert.match(last.errors.join(), /at most 1000 rules/)
  })
})
