import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from './support/server.ts'

test('tokens that a moved auth method had issued are dead, new logins work at its new path', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const send = async (method: string, path: string, token: string, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
      method,
      headers: token === '' ? {} : { 'X-Vault-Token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const root = (method: string, path: string, body?: unknown) =>
    send(method, path, server.rootToken, body)
  const login = async (path: string): Promise<string> =>
    (await send('POST', `${path}/login/ann`, '', { password: 'p' })).body.auth.client_token

  await root('POST', 'sys/auth/up', { type: 'userpass' })
  await root('POST', 'auth/up/users/ann', { password: 'p' })
  const before = await login('auth/up')
  const child = await send('POST', 'auth/token/create', server.rootToken, { policies: ['default'] })
  const bystander: string = child.body.auth.client_token
  assert.equal((await send('GET', 'auth/token/lookup-self', before)).status, 200)

  assert.equal((await root('POST', 'sys/remount', { from: 'auth/up', to: 'auth/new' })).status, 200)
  assert.equal((await send('GET', 'auth/token/lookup-self', before)).status, 403)
  assert.equal((await send('GET', 'auth/token/lookup-self', bystander)).status, 200)
  // Times count in ms: what is made in the very ms of the move dies with it.
  await new Promise((resolve) => setTimeout(resolve, 2))
  const after = await login('auth/new')
  assert.equal((await send('GET', 'auth/token/lookup-self', after)).status, 200)
})
