import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { CommandIo } from '../src/cli/io.ts'
import { runCommandLine } from '../src/cli/run.ts'
import type { Told } from './support/ask.ts'
import { download, upload } from './support/upload.ts'
import { Writers } from './support/writers.ts'
import { until, WorkerServer } from './support/worker-server.ts'

const PATIENCE_MS = 60_000
const SEAL_STATUS = { path: 'sys/seal-status', token: '' }

/** A server that is unsealed, with `kv/` and some data. */
const startWith = async (workers: number, keys: number): Promise<WorkerServer> => {
  const server = await WorkerServer.prepare(workers)
  await server.start()
  await server.initialise()
  await server.unseal()
  await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })
  for (let key = 0; key < keys; key++) {
    await server.ask({ path: `kv/k${key}`, body: { is: 'saved' } })
  }
  return server
}

const dataOf = (server: WorkerServer): string => join(server.folder, 'data')

const leftovers = (server: WorkerServer): string[] =>
  readdirSync(dataOf(server)).filter((name) => name.startsWith('restore-'))

const restore = (server: WorkerServer, bytes: Uint8Array, token = server.root): Promise<Told> =>
  upload(server.url, 'sys/storage/snapshot', token, bytes)

const valueOf = ({ body }: Told): unknown => body?.data?.is

const command = async (server: WorkerServer, words: readonly string[]) => {
  let stdout = ''
  let stderr = ''
  const io: CommandIo = {
    stdout: { isTTY: false, write: (text) => (stdout += text) },
    stderr: { isTTY: false, write: (text) => (stderr += text) },
    env: { VAULT_TOKEN: server.root, VAULT_ADDR: server.url },
    home: '/nonexistent',
    checkout: '/nonexistent',
    readStdin: async () => '',
    promptHidden: async () => undefined,
  }
  return { code: await runCommandLine(words, io), stdout, stderr }
}

for (const workers of [1, 3]) {
  describe(`a restore into a running server of ${workers} processes`, () => {
    let server: WorkerServer
    let saved: Buffer
    before(async () => {
      server = await startWith(workers, 50)
      saved = await download(server.url, server.root)
    })
    after(() => server.remove())

    it('shows the old data until it is done and then the new, while 8 clients write and read', async (t) => {
      for (let key = 0; key < 50; key++) {
        await server.ask({ path: `kv/k${key}`, body: { is: 'later' } })
      }
      const { body } = await server.ask({ path: 'auth/token/create', body: {} })
      const lateToken = String(body.auth.client_token)
      const writers = new Writers(server, 8)
      const seen: { began: number; ended: number; is: unknown }[] = []
      let over = false
      const reading = Array.from({ length: 4 }, async (_, reader) => {
        for (let round = reader; !over; round++) {
          const began = performance.now()
          const told = await server.ask({ path: `kv/k${round % 50}` })
          if (told.status === 503) continue
          assert.equal(told.status, 200)
          seen.push({ began, ended: performance.now(), is: valueOf(told) })
        }
      })
      await until(() => writers.writes.length > 200, PATIENCE_MS)
      const began = performance.now()
      const { status, body: answer } = await restore(server, saved)
      const ended = performance.now()
      assert.equal(status, 200, JSON.stringify(answer))
      assert.equal(answer.data.sealed, false)
      const so = writers.writes.length
      await until(() => writers.writes.length > so + 100, PATIENCE_MS)
      over = true
      await Promise.all([...reading, writers.end()])

      for (const one of seen) {
        if (one.ended < began) assert.equal(one.is, 'later')
        if (one.began > ended) assert.equal(one.is, 'saved')
      }
      // Who has seen the new data never sees the old again.
      const first = Math.min(...seen.filter(({ is }) => is === 'saved').map((one) => one.ended))
      assert.ok(seen.every(({ began: at, is }) => at < first || is === 'saved'))
      for (const { status: each } of writers.writes) assert.ok(each === 204 || each === 503)
      const present = new Set<string>(
        (await server.ask({ path: 'kv', method: 'LIST' })).body.data.keys,
      )
      for (const write of writers.writes) {
        if (write.ended < began) assert.ok(!present.has(write.name), `${write.name} is back`)
        if (write.began > ended && write.status === 204) {
          assert.ok(present.has(write.name), `${write.name} was acknowledged and is lost`)
        }
      }
      for (let key = 0; key < 50; key++) {
        assert.deepEqual(await server.everywhere({ path: `kv/k${key}` }, valueOf), ['saved'])
      }
      const late = await server.everywhere(
        { path: 'kv/k1', token: lateToken },
        (told) => told.status,
      )
      assert.deepEqual(late, [403])
      assert.deepEqual(leftovers(server), [])
      assert.ok(readdirSync(dataOf(server)).some((name) => name.startsWith('before-restore-')))
      const refused = writers.writes.filter((write) => write.status === 503).length
      const slowest = Math.max(...writers.writes.map((write) => write.ended - write.began))
      t.diagnostic(
        `${(ended - began).toFixed(0)} ms; ${refused} of ${writers.writes.length} writes 503; the slowest took ${slowest.toFixed(0)} ms`,
      )
    })

    it('goes back behind a rotation of the key, and what is written afterwards stays readable', async () => {
      assert.ok((await server.ask({ path: 'sys/rotate', method: 'POST' })).status < 300)
      await server.ask({ path: 'kv/under-2', body: { is: 'gone' } })
      assert.equal((await restore(server, saved)).status, 200)
      const terms = await server.everywhere({ path: 'sys/key-status' }, ({ body }) => body.term)
      assert.deepEqual(terms, [1])
      const names = Array.from({ length: 16 }, (_, index) => `kv/after-${index}`)
      await Promise.all(names.map((path) => server.ask({ path, body: { is: path } })))
      await server.stop()
      await server.start()
      await server.unseal()
      for (const path of names) assert.equal(valueOf(await server.ask({ path })), path)
      assert.equal((await server.ask({ path: 'kv/under-2' })).status, 404)
    })

    it('refuses what is torn, altered, or no snapshot, of whatever size, and leaves nothing behind', async () => {
      await server.ask({ path: 'kv/k0', body: { is: 'kept' } })
      const altered = Buffer.from(saved)
      altered[saved.length >> 1]! ^= 1
      const attempt = async (bytes: Uint8Array, says: RegExp): Promise<void> => {
        const { status, body } = await restore(server, bytes)
        assert.equal(status, 400)
        assert.match(body.errors[0], says)
      }
      await attempt(saved.subarray(0, saved.length - 10), /ends too early/)
      await attempt(altered, /checksum is not right|was changed/)
      await attempt(Buffer.alloc(40 * 1024 * 1024), /is no snapshot of Signet/)
      await assert.rejects(
        upload(server.url, 'sys/storage/snapshot', server.root, saved, saved.length >> 1),
      )
      await until(() => leftovers(server).length === 0, PATIENCE_MS)
      assert.deepEqual(await server.everywhere({ path: 'kv/k0' }, valueOf), ['kept'])
    })

    it('is for those with update and sudo on the path', async () => {
      const rule = (more: string): string =>
        `path "sys/storage/snapshot" { capabilities = ["update"${more}] }`
      await server.ask({ path: 'sys/policies/acl/restorer', body: { policy: rule('') } })
      const made = await server.ask({
        path: 'auth/token/create',
        body: { policies: ['restorer'] },
      })
      const token = String(made.body.auth.client_token)
      assert.equal((await restore(server, saved, token)).status, 403)
      await server.ask({ path: 'sys/policies/acl/restorer', body: { policy: rule(', "sudo"') } })
      const withToken = await download(server.url, server.root)
      const forced = await upload(server.url, 'sys/storage/snapshot-force', token, withToken)
      assert.equal(forced.status, 403)
      assert.equal((await restore(server, withToken, token)).status, 200)
    })

    it('stands in the audit log, without the file', async () => {
      const file = join(server.folder, 'audit.log')
      const device = { type: 'file', options: { file_path: file } }
      await server.ask({ path: 'sys/audit/file', body: device })
      const audited = await download(server.url, server.root)
      assert.equal((await restore(server, audited)).status, 200)
      const entries = readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ request }) => request.path === 'sys/storage/snapshot')
        .filter(({ request }) => request.operation === 'update')
      assert.deepEqual(
        entries.map(({ type }) => type),
        ['request', 'response'],
      )
      assert.equal(entries[1].response.data.bytes, audited.length)
      // The devices of the restored data go on.
      await server.ask({ path: 'kv/noted' })
      assert.match(readFileSync(file, 'utf8'), /kv\/noted/)
      await server.ask({ path: 'sys/audit/file', method: 'DELETE' })
    })

    it('refuses another seal unless forced, and is sealed then until it gets the other keys', async () => {
      const other = await startWith(1, 1)
      after(() => other.remove())
      await other.ask({ path: 'kv/k0', body: { is: 'of the other' } })
      const foreign = await download(other.url, other.root)
      const refused = await restore(server, foreign)
      assert.equal(refused.status, 400)
      assert.match(refused.body.errors[0], /of another seal .* sys\/storage\/snapshot-force/)
      assert.equal((await server.ask({ path: 'sys/key-status' })).status, 200)

      const forced = await upload(server.url, 'sys/storage/snapshot-force', server.root, foreign)
      assert.equal(forced.status, 200)
      assert.equal(forced.body.data.sealed, true)
      await until(
        async () =>
          server
            .everywhere(SEAL_STATUS, ({ body }) => body.sealed)
            .then((all) => all.length === 1 && all[0] === true)
            .catch(() => false),
        PATIENCE_MS,
      )
      const mine = server.keys
      const unsealing = { path: 'sys/unseal', method: 'PUT', token: '' }
      assert.equal((await server.ask({ ...unsealing, body: { key: mine[0] } })).status, 400)
      server.keys = other.keys
      server.root = other.root
      await server.unseal()
      assert.deepEqual(await server.everywhere({ path: 'kv/k0' }, valueOf), ['of the other'])
      assert.equal((await server.ask({ path: 'kv/new', body: { is: 'new' } })).status, 204)
      await server.stop()
      await server.start()
      await server.unseal()
      assert.deepEqual(await server.everywhere({ path: 'kv/new' }, valueOf), ['new'])
    })
  })
}

describe('a restore into a running server', () => {
  it('that is killed at any moment leaves the old data or the new, and the server starts', async (t) => {
    const server = await startWith(2, 300)
    t.after(() => server.remove())
    const saved = await download(server.url, server.root)
    const began = performance.now()
    assert.equal((await restore(server, saved)).status, 200)
    const took = performance.now() - began
    const found: unknown[] = []
    for (let round = 0; round < 8; round++) {
      for (let key = 0; key < 300; key += 30) {
        await server.ask({ path: `kv/k${key}`, body: { is: 'later' } })
      }
      const restoring = restore(server, saved).catch(() => undefined)
      await wait((took * (round + 1)) / 8)
      await server.stop('SIGKILL')
      await restoring
      await server.start()
      await server.unseal()
      const values = new Set<unknown>()
      for (let key = 0; key < 300; key += 30) {
        values.add(valueOf(await server.ask({ path: `kv/k${key}` })))
      }
      assert.equal(values.size, 1, `a mixture: ${[...values].join()}`)
      found.push(...values)
      assert.deepEqual(leftovers(server), [])
    }
    t.diagnostic(found.join(' '))
  })

  it('leaves nothing behind of a worker that was killed while a file came', async (t) => {
    const server = await startWith(2, 1)
    t.after(() => server.remove())
    const saved = await download(server.url, server.root)
    const socket = connect(server.port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(
      `PUT /v1/sys/storage/snapshot HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${server.root}\r\nContent-Length: ${saved.length}\r\n\r\n`,
    )
    socket.write(saved.subarray(0, 100))
    await until(() => leftovers(server).length === 1, PATIENCE_MS)
    const [, pid] = /^restore-(\d+)-/.exec(leftovers(server)[0]!)!
    process.kill(Number(pid), 'SIGKILL')
    await until(() => leftovers(server).length === 0, PATIENCE_MS)
    await until(() => server.hasReplaced(Number(pid), 2), PATIENCE_MS)
    assert.equal((await restore(server, saved)).status, 200)
  })

  it('that is asked for several times at once is done, once or one after the other', async (t) => {
    const server = await startWith(3, 10)
    t.after(() => server.remove())
    const saved = await download(server.url, server.root)
    for (let key = 0; key < 10; key++) {
      await server.ask({ path: `kv/k${key}`, body: { is: 'later' } })
    }
    const told = await Promise.all(Array.from({ length: 5 }, () => restore(server, saved)))
    const statuses = told.map(({ status }) => status)
    assert.ok(statuses.includes(200))
    assert.ok(
      statuses.every((status) => status === 200 || status === 503),
      statuses.join(),
    )
    for (let key = 0; key < 10; key++) {
      assert.deepEqual(await server.everywhere({ path: `kv/k${key}` }, valueOf), ['saved'])
    }
    assert.equal((await server.ask({ path: 'kv/new', body: { is: 'new' } })).status, 204)
    assert.deepEqual(await server.everywhere({ path: 'kv/new' }, valueOf), ['new'])
    assert.deepEqual(leftovers(server), [])
    t.diagnostic(statuses.join())
  })

  it('can be asked for on the command line', async (t) => {
    const server = await startWith(2, 3)
    t.after(() => server.remove())
    const file = join(server.folder, 'saved.snapshot')
    assert.equal((await command(server, ['operator', 'snapshot', 'save', file])).code, 0)
    await server.ask({ path: 'kv/k0', body: { is: 'later' } })
    const done = await command(server, ['operator', 'snapshot', 'restore', file])
    assert.equal(done.code, 0, done.stderr)
    assert.match(done.stdout, /^Success! Restored \d+ entries of .*\nWhat was there before is in /)
    assert.equal(valueOf(await server.ask({ path: 'kv/k0' })), 'saved')
    const shown = await command(server, ['operator', 'snapshot', 'restore', '-format=json', file])
    assert.match(String(JSON.parse(shown.stdout).checksum), /^sha256:/)
    writeFileSync(file, 'no snapshot')
    const torn = await command(server, ['operator', 'snapshot', 'restore', file])
    assert.equal(torn.code, 1)
    assert.match(torn.stderr, /is no snapshot of Signet/)
    rmSync(file)
    assert.equal((await command(server, ['operator', 'snapshot', 'restore', file])).code, 1)
  })
})
