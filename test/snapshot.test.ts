import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { CommandIo } from '../src/cli/io.ts'
import { runCommandLine } from '../src/cli/run.ts'
import type { StorageConfig } from '../src/config/server-config.ts'
import { restoreSnapshot } from '../src/server.ts'
import { openLmdbStore } from '../src/storage/lmdb/lmdb-store.ts'
import { deadlineIn, newVersion } from '../src/storage/store.ts'
import { skipWithout, startPostgres } from './support/postgres.ts'
import type { TestServer } from './support/server.ts'
import { startTestServer } from './support/server.ts'

const root = mkdtempSync(join(tmpdir(), 'signet-snapshot-'))
after(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
const folder = (): string => {
  const path = join(root, String(folders++))
  mkdirSync(path)
  return path
}

/** A server on a storage; `keys` is where its unseal key lies between starts. */
const start = (storage: StorageConfig, keys: string): Promise<TestServer> =>
  startTestServer({
    configure: (config) => ({ ...config, storage, dev: { ...config.dev!, dataFolder: keys } }),
  })

const ask = async (
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  token = 'root',
) => {
  const answer = await fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
    method,
    headers: { 'X-Vault-Token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, json: text.startsWith('{') ? JSON.parse(text) : {} }
}

const signet = async (words: readonly string[], server?: TestServer) => {
  let stdout = ''
  let stderr = ''
  const io: CommandIo = {
    stdout: { isTTY: false, write: (text) => (stdout += text) },
    stderr: { isTTY: false, write: (text) => (stderr += text) },
    env: {
      VAULT_TOKEN: 'root',
      ...(server === undefined ? {} : { VAULT_ADDR: `http://127.0.0.1:${server.port}` }),
    },
    home: '/nonexistent',
    checkout: '/nonexistent',
    readStdin: async () => '',
    promptHidden: async () => undefined,
  }
  const code = await runCommandLine(words, io)
  return { code, stdout, stderr }
}

/** Writes until told to end; gives the names that were acknowledged so far, and ends after a round more. */
const writers = (server: TestServer, count: number, prefix = 'w') => {
  const acknowledged: string[] = []
  let over = false
  let failed: unknown
  const running = Array.from({ length: count }, async (_, writer) => {
    for (let round = 0; !over && failed === undefined; round++) {
      const name = `${prefix}${writer}-${round}`
      const { status } = await ask(server, 'POST', 'identity/entity', {
        name,
        metadata: { round: String(round) },
      })
      assert.equal(status, 200)
      acknowledged.push(name)
    }
  })
  for (const one of running) one.catch((error: unknown) => (failed = error))
  return {
    acknowledged,
    reach: async (least: number) => {
      while (acknowledged.length < least) {
        if (failed !== undefined) throw failed
        await new Promise(setImmediate)
      }
    },
    end: async () => {
      over = true
      await Promise.all(running)
    },
  }
}

const namesOf = async (server: TestServer): Promise<Set<string>> => {
  const { json } = await ask(server, 'GET', 'identity/entity/name?list=true')
  return new Set(json.data?.keys ?? [])
}

describe('snapshots of a server', { concurrency: false }, () => {
  const keys = folder()
  const data = folder()
  const file = join(root, 'saved.snapshot')
  let atSnapshot: string[] = []

  it('are taken while 8 clients write, and bring back all that was acknowledged before', async () => {
    const server = await start({ kind: 'lmdb', path: data }, keys)
    await ask(server, 'POST', 'secret/data/x', { data: { a: 'b' } })
    const writing = writers(server, 8)
    await writing.reach(200)
    atSnapshot = [...writing.acknowledged]
    const saved = await signet(['operator', 'snapshot', 'save', file], server)
    assert.equal(saved.code, 0, saved.stderr)
    assert.match(saved.stdout, /^Success! Saved \d+ entries/)
    await writing.reach(atSnapshot.length + 50)
    await writing.end()
    const everything = await namesOf(server)
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('snapshot-')),
      [],
    )
    await server.stop()

    const target = folder()
    const restored = await signet(['operator', 'snapshot', 'restore', '-data', target, file])
    assert.equal(restored.code, 0, restored.stderr)
    const again = await start({ kind: 'lmdb', path: target }, keys)
    const names = await namesOf(again)
    assert.deepEqual(
      atSnapshot.filter((name) => !names.has(name)),
      [],
    )
    for (const name of names) assert.ok(everything.has(name))
    assert.equal((await ask(again, 'GET', 'secret/data/x')).json.data.data.a, 'b')
    assert.equal((await ask(again, 'POST', 'identity/entity', { name: 'afterwards' })).status, 200)
    await again.stop()
  })

  it('take the place of data of the same seal, which is kept beside', async () => {
    const restored = await signet(['operator', 'snapshot', 'restore', '-data', data, file])
    assert.equal(restored.code, 0, restored.stderr)
    assert.match(restored.stdout, /What was there before is in .*before-restore-/)
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('restore-')),
      [],
    )
    const server = await start({ kind: 'lmdb', path: data }, keys)
    const names = await namesOf(server)
    assert.deepEqual(
      atSnapshot.filter((name) => !names.has(name)),
      [],
    )
    await server.stop()
  })

  it('do not set the time back when they take the place of data that was told it', async () => {
    const path = folder()
    const storage = { kind: 'lmdb', path } as const
    const options = { force: true, onProgress: () => {} }
    await restoreSnapshot(file, storage, options)
    const later = Date.now() + 3_600_000
    const present = openLmdbStore({ path, clock: () => later })
    const id = newVersion()
    const writes = [{ key: Buffer.from('x'), value: Buffer.from('') }]
    await present.commit({ id, checks: [], writes }, deadlineIn(60_000))
    await present.close()
    await restoreSnapshot(file, storage, options)
    const restored = openLmdbStore({ path })
    const { now, items } = await restored.versions([Buffer.from('x')], deadlineIn(60_000))
    await restored.close()
    assert.ok(now >= later)
    assert.deepEqual(items, [0])
  })

  it('show what they hold, and refuse to be torn or altered, changing nothing', async () => {
    const shown = await signet(['operator', 'snapshot', 'inspect', file])
    assert.match(shown.stdout, /Checksum +sha256:[0-9a-f]{64}, verified/)
    const bytes = readFileSync(file)
    const bad = join(root, 'bad.snapshot')
    const target = folder()
    const attempt = async (content: Uint8Array, says: RegExp) => {
      writeFileSync(bad, content)
      for (const words of [['inspect'], ['restore', '-data', target]]) {
        const { code, stderr } = await signet(['operator', 'snapshot', ...words, bad])
        assert.equal(code, 1)
        assert.match(stderr, says)
      }
      assert.deepEqual(readdirSync(target), [])
    }
    await attempt(bytes.subarray(0, bytes.length - 10), /ends too early/)
    const altered = Buffer.from(bytes)
    altered[bytes.length >> 1]! ^= 1
    await attempt(altered, /checksum is not right|was changed/)
    await attempt(Buffer.from('PK\x03\x04 something else altogether'), /is no snapshot of Signet/)
  })

  it('refuse data of another seal unless forced, and a folder in use', async () => {
    const otherKeys = folder()
    const other = folder()
    const server = await start({ kind: 'lmdb', path: other }, otherKeys)
    const words = ['operator', 'snapshot', 'restore', '-data', other, file]
    assert.match((await signet(words)).stderr, /the data folder .* is in use by pid \d+/)
    await ask(server, 'POST', 'identity/entity', { name: 'of-the-other' })
    await server.stop()
    const refused = await signet(words)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the snapshot is of another seal .* use -force if that is meant/)
    const untouched = await start({ kind: 'lmdb', path: other }, otherKeys)
    assert.deepEqual([...(await namesOf(untouched))], ['of-the-other'])
    await untouched.stop()
    assert.equal((await signet([...words, '-force'])).code, 0)
    const replaced = await start({ kind: 'lmdb', path: other }, keys)
    assert.ok((await namesOf(replaced)).has(atSnapshot[0]!))
    await replaced.stop()
  })

  it('are for those with sudo on the path', async () => {
    const server = await startTestServer()
    const policy = 'path "sys/storage/snapshot" { capabilities = ["read"] }'
    await ask(server, 'POST', 'sys/policies/acl/reader', { policy })
    const { json } = await ask(server, 'POST', 'auth/token/create', { policies: ['reader'] })
    const token = json.auth.client_token
    assert.equal((await ask(server, 'GET', 'sys/storage/snapshot', undefined, token)).status, 403)
    assert.equal((await ask(server, 'POST', 'sys/storage/snapshot', {}, token)).status, 403)
    await ask(server, 'POST', 'sys/policies/acl/reader', {
      policy: policy.replace('"read"', '"read", "sudo"'),
    })
    assert.equal((await ask(server, 'GET', 'sys/storage/snapshot', undefined, token)).status, 200)
    await server.stop()
  })

  it('go from LMDB to PostgreSQL and back', { skip: skipWithout('postgres') }, async () => {
    const database = await startPostgres()
    try {
      const storage = { kind: 'postgresql', connectionUrl: database.url } as const
      const options = { force: false, onProgress: () => {} }
      await restoreSnapshot(file, storage, options)
      await assert.rejects(restoreSnapshot(file, storage, options), /holds data already/)
      const there = await start(storage, keys)
      const writing = writers(there, 4, 'p')
      await writing.reach(40)
      const before = [...writing.acknowledged]
      const back = join(root, 'back.snapshot')
      const saved = await signet(['operator', 'snapshot', 'save', back], there)
      assert.equal(saved.code, 0, saved.stderr)
      await writing.end()
      await there.stop()
      const target = folder()
      assert.equal(
        (await signet(['operator', 'snapshot', 'restore', '-data', target, back])).code,
        0,
      )
      const again = await start({ kind: 'lmdb', path: target }, keys)
      const names = await namesOf(again)
      const missing = [...atSnapshot, ...before].filter((name) => !names.has(name))
      assert.deepEqual(missing, [])
      await again.stop()
    } finally {
      await database.stop()
    }
  })
})
