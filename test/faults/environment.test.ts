import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { openLmdbStore } from '../../src/storage/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../../src/storage/postgres/postgres-store.ts'
import type { Store } from '../../src/storage/store.ts'
import { deadlineIn, newVersion } from '../../src/storage/store.ts'
import { skipWithout, startPostgres } from '../support/postgres.ts'
import { signet } from '../support/signet.ts'
import { WorkerServer } from '../support/worker-server.ts'
import type { LocalServer } from './local-server.ts'
import { startLocal } from './local-server.ts'

const HOUR_MS = 3_600_000
const MB = 1_048_576

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-environment-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const mount = (...words: readonly string[]): boolean => spawnSync('mount', words).status === 0

/** A file system of its own in memory, unmounted at the end; undefined, said aloud, where that is not allowed. */
const ownFileSystem = (t: TestContext, bytes: number): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-environment-'))
  t.after(() => {
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  if (!mount('-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder)) {
    console.error('SKIPPED: only root may mount a file system')
    t.skip('only root may mount a file system')
    return undefined
  }
  return folder
}

const storageIn = (folder: string): string => `storage "lmdb" { path = "${join(folder, 'data')}" }`

const prepared = async (t: TestContext, folder: string, workers = 1): Promise<WorkerServer> => {
  const server = await WorkerServer.prepare(workers, '', storageIn(folder))
  t.after(() => server.remove())
  return server
}

const begun = async (server: WorkerServer): Promise<void> => {
  await server.start()
  await server.initialise()
  await server.unseal()
}

describe('a full disk', () => {
  for (const workers of [1, 2]) {
    it(`refuses writes with 503 and changes nothing; reads go on, and writes once there is room (workers: ${workers})`, async (t) => {
      const folder = ownFileSystem(t, 12 * MB)
      if (folder === undefined) return
      const server = await prepared(t, folder, workers)
      await begun(server)
      assert.equal((await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })).status, 204)
      assert.equal((await server.ask({ path: 'kv/first', body: { a: '1' } })).status, 204)
      // What else is on the disk fills it.
      const ballast = join(folder, 'ballast')
      writeFileSync(ballast, '')
      const step = Buffer.alloc(MB / 4)
      assert.throws(() => {
        for (;;) writeFileSync(ballast, step, { flag: 'a' })
      }, /ENOSPC/)
      const value = 'x'.repeat(200_000)
      const done: number[] = []
      let refused: { readonly status: number; readonly body: any } | undefined
      for (let index = 0; refused === undefined; index++) {
        assert.ok(index < 200)
        const told = await server.ask({ path: `kv/big-${index}`, body: { value } })
        if (told.status === 204) done.push(index)
        else refused = told
      }
      assert.equal(refused.status, 503)
      assert.match(refused.body.errors[0], /the storage is not available; nothing was changed/)
      assert.equal((await server.ask({ path: `kv/big-${done.length}` })).status, 404)
      assert.equal((await server.ask({ path: 'kv/first' })).body.data.a, '1')
      for (const index of done) {
        assert.equal((await server.ask({ path: `kv/big-${index}` })).body.data.value, value)
      }
      assert.equal((await server.ask({ path: 'auth/token/lookup-self' })).status, 200)
      rmSync(ballast)
      assert.equal((await server.ask({ path: 'kv/later', body: { a: '2' } })).status, 204)
      const { code } = await server.stop()
      assert.equal(code, 0)
      await server.start()
      await server.unseal()
      assert.equal((await server.ask({ path: 'kv/later' })).body.data.a, '2')
      assert.equal((await server.ask({ path: `kv/big-${done.length}` })).status, 404)
    })
  }
})

describe('a read-only file system', () => {
  it('is told by a clear line when the server starts, whether there is data or not', async (t) => {
    const folder = ownFileSystem(t, 16 * MB)
    if (folder === undefined) return
    const server = await prepared(t, folder)
    await begun(server)
    await server.stop()
    const empty = await WorkerServer.prepare(1, '', storageIn(join(folder, 'other')))
    t.after(() => empty.remove())
    assert.ok(mount('-o', 'remount,ro', folder))
    for (const { config } of [server, empty]) {
      const { code, stderr } = await signet(['server', `-config=${config}`])
      assert.equal(code, 1)
      assert.match(stderr, /read-only file system/i)
      assert.ok(stderr.includes(folder), stderr)
      assert.ok(!/^ +at /m.test(stderr), stderr)
    }
    assert.ok(mount('-o', 'remount,rw', folder))
    await server.start()
    await server.unseal()
    assert.equal((await server.ask({ path: 'auth/token/lookup-self' })).status, 200)
  })
})

/** A store whose clock can be set, and which can be opened again. */
interface Clocked {
  readonly open: () => Promise<Store>
  readonly setAhead: (milliseconds: number) => Promise<void>
  /** Does what keeps the time for those who open the store later: at most a second's work, or one write. */
  readonly keep: (server: LocalServer) => Promise<void>
}

const clocks: readonly {
  readonly name: string
  readonly skip: string | false
  readonly make: (t: TestContext) => Promise<Clocked>
}[] = [
  {
    name: 'of the machine, on LMDB',
    skip: false,
    make: async (t) => {
      const path = join(scratch(t), 'data')
      let ahead = 0
      return {
        open: async () => openLmdbStore({ path, clock: () => Date.now() + ahead }),
        setAhead: async (milliseconds) => void (ahead = milliseconds),
        keep: async () => {},
      }
    },
  },
  {
    name: 'of the database, on PostgreSQL',
    skip: skipWithout('postgres'),
    make: async (t) => {
      const database = await startPostgres()
      t.after(() => database.stop())
      return {
        open: () => openPostgresStore({ connectionUrl: database.url }),
        setAhead: (milliseconds) => database.setClock(milliseconds),
        keep: async (server) => {
          const floor = async () => {
            const [row] = await database.run('select last_value from signet.clock')
            return Number(row!['last_value'])
          }
          const before = await floor()
          while ((await floor()) === before) await server.ask('read', 'auth/token/lookup-self')
        },
      }
    },
  },
]

for (const { name, skip, make } of clocks) {
  describe(`a clock that is set: ${name}`, { skip }, () => {
    it('forward by an hour ends tokens; back again, it revives none, not even after a restart', async (t) => {
      const { open, setAhead, keep } = await make(t)
      const first = await open()
      const server = await startLocal(first)
      const created = await server.ask('update', 'auth/token/create', { ttl: '30m' })
      const token: string = created.body.auth.client_token
      const lives = async (which = server): Promise<boolean> => {
        const { status } = await which.ask('read', 'auth/token/lookup-self', undefined, token)
        return status === 200
      }
      const set = async (ahead: number): Promise<void> => {
        await setAhead(ahead)
        await server.ask('read', 'auth/token/lookup-self', undefined, `unknown-${ahead}`)
      }
      assert.ok(await lives())
      await set(-HOUR_MS)
      assert.ok(await lives())
      await set(HOUR_MS)
      assert.ok(!(await lives()))
      // Something is written, so that the time is kept.
      const longer = await server.ask('update', 'auth/token/create', { ttl: '24h' })
      assert.equal(longer.status, 200)
      await keep(server)
      await set(0)
      assert.ok(!(await lives()))
      await server.close()
      await first.close()
      const second = await open()
      t.after(() => second.close())
      const again = await startLocal(second, server.key)
      t.after(() => again.close())
      assert.ok(!(await lives(again)))
      const long: string = longer.body.auth.client_token
      const { status, body } = await again.ask('read', 'auth/token/lookup-self', undefined, long)
      assert.equal(status, 200)
      assert.ok(body.data.ttl <= 24 * 3_600)
    })
  })
}

describe('what a crash and a bad disk leave behind', () => {
  it('stops neither the start nor the unsealing: a torn audit line is ended, a damaged person set aside', async (t) => {
    const folder = scratch(t)
    const server = await prepared(t, folder)
    await begun(server)
    const audit = join(folder, 'audit.log')
    const device = { type: 'file', options: { file_path: audit } }
    assert.equal((await server.ask({ path: 'sys/audit/file', body: device })).status, 204)
    for (const name of ['alice', 'bob']) {
      const { status } = await server.ask({ path: 'identity/entity', body: { name } })
      assert.equal(status, 200)
    }
    const idOf = async (name: string): Promise<string> =>
      (await server.ask({ path: `identity/entity/name/${name}` })).body.data.id
    const [alice, bob] = [await idOf('alice'), await idOf('bob')]
    await server.stop('SIGKILL')

    const text = readFileSync(audit, 'utf8')
    truncateSync(audit, text.length - 100)
    const kept = text.slice(0, -100)
    const store = openLmdbStore({ path: join(folder, 'data') })
    const key = Buffer.concat([
      Buffer.from('e/'),
      Buffer.alloc(4),
      Buffer.from(bob.replaceAll('-', ''), 'hex'),
    ])
    const [found] = (await store.read([key], deadlineIn(1_000))).items
    const value = Buffer.from(found!.value!)
    value[20]! ^= 1
    await store.commit(
      { id: newVersion(), checks: [], writes: [{ key, value }] },
      deadlineIn(1_000),
    )
    await store.close()

    await server.start()
    await server.unseal()
    const broken = await server.ask({ path: `identity/entity/id/${bob}` })
    assert.equal(broken.status, 500)
    assert.match(broken.body.errors[0], /a stored record that this request needs is damaged/)
    assert.equal((await server.ask({ path: `identity/entity/id/${alice}` })).status, 200)
    const list = await server.ask({ path: 'identity/entity/id?list=true' })
    assert.deepEqual(list.body.data.keys, [alice])
    const health = await server.ask({ path: 'sys/health?detail' })
    assert.equal(health.status, 200)
    assert.deepEqual(health.body.detail.set_aside, { records: 1, by_kind: { e: 1 } })
    const { stdout, stderr } = await server.stop()
    assert.ok(`${stdout}${stderr}`.includes(key.toString('hex')))

    const after = readFileSync(audit, 'utf8')
    assert.ok(after.startsWith(`${kept}\n`))
    const lines = after.slice(kept.length + 1).split('\n')
    assert.equal(lines.pop(), '')
    assert.ok(lines.length > 5)
    for (const line of lines) assert.ok(JSON.parse(line).type)
  })
})
