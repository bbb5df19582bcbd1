import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from './support/ask.ts'
import { startTestServer } from './support/server.ts'

test('sys/mounts/auth/… reads an auth method, as Terraform’s provider does after it has enabled one', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const root = (path: string, body?: unknown) =>
    ask(`http://127.0.0.1:${server.port}`, { path, body, token: server.rootToken })

  await root('sys/auth/staff', { type: 'userpass', description: 'people' })
  const read = await root('sys/mounts/auth/staff')
  assert.equal(read.status, 200)
  assert.deepEqual(read.body.data, (await root('sys/auth/staff')).body.data)

  const none = await root('sys/mounts/auth/nobody')
  assert.deepEqual(none, {
    status: 400,
    body: { errors: ['No secret engine mount at auth/nobody/'] },
  })
  // Without `auth/` a path means a secrets engine, whatever the methods are called.
  assert.equal((await root('sys/mounts/staff')).status, 400)
  assert.equal((await root('sys/auth/auth/staff')).status, 400)
})
