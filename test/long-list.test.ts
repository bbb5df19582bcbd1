import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startTestServer } from './support/server.ts'
import type { TestServer } from './support/server.ts'

/** One more than is answered in one piece. */
const MANY = 10_001

describe('a list of very many', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-long-list-'))
  const log = join(folder, 'audit.log')
  let server: TestServer

  const ask = (method: string, path: string, body?: string, type = 'application/json') =>
    fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': server.rootToken, 'content-type': type },
      ...(body === undefined ? {} : { body }),
    })

  before(async () => {
    server = await startTestServer()
    const lines = Array.from({ length: MANY }, (_, i) => `{"type":"entity","name":"e-${i}"}`)
    const imported = await ask('POST', 'identity/import', lines.join('\n'), 'application/x-ndjson')
    assert.equal(imported.status, 200)
    const device = JSON.stringify({ type: 'file', options: { file_path: log } })
    assert.equal((await ask('PUT', 'sys/audit/file', device)).status, 204)
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is answered whole, in the usual envelope', async () => {
    const response = await ask('LIST', 'identity/entity/id')
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(response.headers.get('content-length'), null)
    const { data, ...rest } = (await response.json()) as {
      readonly data: {
        readonly keys: readonly string[]
        readonly key_info: Readonly<Record<string, { readonly name: string }>>
      }
    }
    assert.deepEqual(Object.keys(rest), [
      'request_id',
      'lease_id',
      'renewable',
      'lease_duration',
      'wrap_info',
      'warnings',
      'auth',
    ])
    assert.equal(data.keys.length, MANY)
    assert.deepEqual(Object.keys(data.key_info), data.keys)
    assert.equal(new Set(Object.values(data.key_info).map(({ name }) => name)).size, MANY)
    const names = (await (await ask('LIST', 'identity/entity/name')).json()) as typeof rest & {
      readonly data: { readonly keys: readonly string[] }
    }
    assert.equal(new Set(names.data.keys).size, MANY)
  })

  it('stands in the audit log with its counts', async () => {
    await (await ask('LIST', 'identity/entity/id')).text()
    const entry = readFileSync(log, 'utf8').trim().split('\n').at(-1)!
    const { type, response } = JSON.parse(entry) as {
      readonly type: string
      readonly response: { readonly data: unknown }
    }
    assert.equal(type, 'response')
    assert.deepEqual(response.data, { key_info: MANY, keys: MANY })
  })

  it('can be wrapped', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/identity/entity/name`, {
      method: 'LIST',
      headers: { 'x-vault-token': server.rootToken, 'x-vault-wrap-ttl': '60' },
    })
    const { wrap_info: info } = (await response.json()) as {
      readonly wrap_info: { readonly ttl: number }
    }
    assert.equal(info.ttl, 60)
  })
})
