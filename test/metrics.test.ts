import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ask } from './support/ask.ts'
import type { Question, Told } from './support/ask.ts'
import { startTestServer } from './support/server.ts'
import type { TestServer } from './support/server.ts'

describe('sys/metrics', () => {
  let server: TestServer
  const send = (question: Question): Promise<Told> =>
    ask(`http://127.0.0.1:${server.port}`, { token: 'root', ...question })
  const text = async (): Promise<string> =>
    (await send({ path: 'sys/metrics?format=prometheus' })).body
  const valueOf = async (line: string): Promise<number> => {
    const found = (await text()).split('\n').find((each) => each.startsWith(`${line} `))
    return found === undefined ? 0 : Number(found.slice(line.length + 1))
  }

  before(async () => {
    server = await startTestServer({ workers: 1 })
  })
  after(() => server.stop())

  it('needs a token that may read it', async () => {
    assert.equal((await send({ path: 'sys/metrics', token: '' })).status, 403)
    const made = await send({ path: 'auth/token/create', body: { policies: ['default'] } })
    const token = made.body.auth.client_token
    assert.equal((await send({ path: 'sys/metrics', token })).status, 403)
    assert.equal((await send({ path: 'sys/metrics' })).status, 200)
  })

  it('needs none on a listener that says so, sealed or not', async (t) => {
    const open = await startTestServer({
      workers: 1,
      configure: (config) => ({
        ...config,
        listeners: config.listeners.map((each) => ({ ...each, unauthenticatedMetrics: true })),
      }),
    })
    t.after(() => open.stop())
    const url = `http://127.0.0.1:${open.port}`
    const question = { path: 'sys/metrics?format=prometheus' }
    assert.match((await ask(url, question)).body, /^signet_processes\{role="worker"\} 1$/m)
    await ask(url, { path: 'sys/seal', method: 'PUT', token: 'root' })
    assert.equal((await ask(url, question)).status, 200)
    assert.equal((await ask(url, { path: 'sys/policy' })).status, 503)
  })

  it('refuses a format that it does not know', async () => {
    const { status, body } = await send({ path: 'sys/metrics?format=xml' })
    assert.equal(status, 400)
    assert.equal(body, 'metric response format "xml" unknown')
  })

  it('counts requests, logins, tokens and looks into caches', async () => {
    const lines = {
      reads: 'signet_request_seconds_count{operation="read",status="4xx"}',
      success: 'signet_logins_total{method="userpass",result="success"}',
      refused: 'signet_logins_total{method="userpass",result="refused"}',
      created: 'signet_tokens_created_total',
      revoked: 'signet_tokens_revoked_total',
      hits: 'signet_cache_lookups_total{cache="callers",result="hit"}',
      commits: 'signet_store_commit_seconds_count{outcome="committed"}',
    }
    const measure = async (): Promise<Record<keyof typeof lines, number>> => {
      const all = await Promise.all(Object.values(lines).map(valueOf))
      return Object.fromEntries(
        Object.keys(lines).map((name, index) => [name, all[index]]),
      ) as Record<keyof typeof lines, number>
    }
    await send({ path: 'sys/auth/up', body: { type: 'userpass' } })
    await send({ path: 'auth/up/users/alice', body: { password: 'pw' } })
    const start = await measure()
    const login = (password: string) =>
      send({ path: 'auth/up/login/alice', token: '', body: { password } })
    const token = (await login('pw')).body.auth.client_token
    await login('wrong')
    await send({ path: 'nothing/here' })
    await send({ path: 'nothing/here' })
    await send({ path: 'auth/token/revoke', body: { token } })
    const end = await measure()
    assert.equal(end.reads - start.reads, 2)
    assert.equal(end.success - start.success, 1)
    assert.equal(end.refused - start.refused, 1)
    assert.equal(end.created - start.created, 1)
    assert.equal(end.revoked - start.revoked, 1)
    assert.ok(end.hits > start.hits)
    assert.ok(end.commits > start.commits)
  })

  it('names nothing of what was asked', async () => {
    await send({ path: 'secret/data/very-secret-name', token: 'very-secret-token' })
    assert.doesNotMatch(await text(), /very-secret/)
  })
})
