import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { root as checkout, signet } from './support/signet.ts'
import type { Told } from './support/ask.ts'
import { childrenOf, isAlive, until, WorkerServer } from './support/worker-server.ts'

const WORKERS = 3

/** How long each takes is printed; this only keeps a test from hanging, on whatever machine. */
const PATIENCE_MS = 60_000

const sealedOf = ({ body }: Told): boolean => body.sealed
const statusOf = ({ status }: Told): number => status
const SEAL_STATUS = { path: 'sys/seal-status', token: '' }

describe('a server of several workers', { concurrency: 2 }, () => {
  it('is unsealed, changed, rotated and sealed as one', async (t) => {
    const server = await WorkerServer.prepare(WORKERS)
    t.after(() => server.remove())
    await server.start()
    await server.initialise(3, 2)

    await t.test('counts the shares that different workers got together', async () => {
      const [first, second] = server.keys
      const given = await server.ask({ path: 'sys/unseal', body: { key: first } })
      assert.equal(given.body.progress, 1)
      const progress = await server.everywhere(SEAL_STATUS, ({ body }) => [
        body.progress,
        body.nonce,
      ])
      assert.deepEqual(progress, [[1, given.body.nonce]])
      const last = await server.ask({ path: 'sys/unseal', body: { key: second } })
      assert.equal(last.body.sealed, false)
      assert.deepEqual(await server.everywhere(SEAL_STATUS, sealedOf), [false])
    })

    await t.test('acts at once on what one worker changed', async () => {
      const write = async (path: string, body: unknown): Promise<void> => {
        const { status } = await server.ask({ path, body })
        assert.ok(status < 300, `${path}: ${status}`)
      }
      const everywhere = (path: string, token = server.root): Promise<readonly number[]> =>
        server.everywhere({ path, token }, statusOf)

      assert.deepEqual(await everywhere('kv/x'), [404])
      await write('sys/mounts/kv', { type: 'kv' })
      await write('kv/x', { a: 1 })
      assert.deepEqual(await everywhere('kv/x'), [200])

      await write('sys/auth/people', { type: 'userpass' })
      await write('auth/people/users/alice', { password: 'pw', token_policies: 'reader' })
      const logins = await Promise.all(
        Array.from({ length: 8 }, () =>
          server.ask({ path: 'auth/people/login/alice', token: '', body: { password: 'pw' } }),
        ),
      )
      const tokens = new Set(logins.map(({ body }) => String(body.auth.client_token)))
      assert.equal(tokens.size, logins.length)
      assert.equal(new Set(logins.map(({ body }) => body.auth.entity_id)).size, 1)
      const [token] = tokens

      assert.deepEqual(await everywhere('kv/x', token), [403])
      await write('sys/policies/acl/reader', {
        policy: 'path "kv/*" { capabilities = ["read"] }',
      })
      assert.deepEqual(await everywhere('kv/x', token), [200])
      await write('auth/token/revoke', { token })
      assert.deepEqual(await everywhere('kv/x', token), [403])

      const file = join(server.folder, 'audit.log')
      await write('sys/audit/file', { type: 'file', options: { file_path: file } })
      const answers = await server.askAll({ path: 'kv/x' })
      const audited = readFileSync(file, 'utf8')
      for (const { body } of answers) assert.ok(audited.includes(String(body.request_id)))
      await server.ask({ path: 'sys/audit/file', method: 'DELETE' })
      const length = readFileSync(file, 'utf8').length
      await server.askAll({ path: 'kv/x' })
      assert.equal(readFileSync(file, 'utf8').length, length)

      await server.ask({ path: 'sys/mounts/kv', method: 'DELETE' })
      assert.deepEqual(await everywhere('kv/x'), [404])
    })

    await t.test('seals under the new key everywhere once it was rotated', async () => {
      assert.ok((await server.ask({ path: 'sys/rotate', method: 'POST' })).status < 300)
      const terms = await server.everywhere({ path: 'sys/key-status' }, ({ body }) => body.term)
      assert.deepEqual(terms, [2])
      await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })
      const written = await server.askAll({ path: 'kv/y', body: { a: 2 } })
      assert.deepEqual([...new Set(written.map(statusOf))], [204])
      assert.deepEqual(await server.everywhere({ path: 'kv/y' }, statusOf), [200])
    })

    await t.test('tells what all workers have measured, those that are gone included', async () => {
      const measure = async (): Promise<readonly [number, number]> => {
        const { body } = await server.ask({ path: 'sys/metrics' })
        const requests = body.Samples.find(
          (each: { readonly Name: string; readonly Labels: Record<string, string> }) =>
            each.Name === 'signet_request_seconds' &&
            each.Labels['operation'] === 'read' &&
            each.Labels['status'] === '4xx',
        )
        const processes = body.Gauges.find(
          (each: { readonly Name: string; readonly Labels: Record<string, string> }) =>
            each.Name === 'signet_processes' && each.Labels['role'] === 'worker',
        )
        return [requests.Count, processes.Value]
      }
      await server.ask({ path: 'no/where' })
      const [first, workers] = await measure()
      assert.equal(workers, WORKERS)
      const asked = (await server.askAll({ path: 'no/where' })).length
      const [second] = await measure()
      assert.equal(second - first, asked)
      const [victim] = server.workers()
      process.kill(victim!, 'SIGKILL')
      await until(() => server.hasReplaced(victim!, WORKERS), PATIENCE_MS)
      // A connection that waited for the victim is reset, whenever the kernel gets to it.
      const [third] = await insist(measure)
      assert.equal(third, second)
    })

    await t.test('is sealed everywhere at once, by other processes that know no key', async () => {
      const present = server.workers()
      assert.equal(present.length, WORKERS)
      assert.equal((await server.ask({ path: 'sys/seal', method: 'PUT' })).status, 204)
      const answers = await Promise.allSettled(
        Array.from({ length: 64 }, () => server.ask({ path: 'kv/y' })),
      )
      const answered = answers.filter((each) => each.status === 'fulfilled')
      assert.deepEqual([...new Set(answered.map(({ value }) => value.status))], [503])
      await until(() => !present.some(isAlive), PATIENCE_MS)
      assert.equal(server.workers().length, WORKERS)
      assert.deepEqual(await insist(() => server.everywhere(SEAL_STATUS, sealedOf)), [true])
      await server.unseal()
      assert.deepEqual(await server.everywhere({ path: 'kv/y' }, statusOf), [200])
    })

    await t.test('can be unsealed the moment it was sealed', async () => {
      await server.ask({ path: 'sys/seal', method: 'PUT' })
      await insist(() => server.unseal())
      const answers = await Promise.allSettled(
        Array.from({ length: 64 }, () => server.ask({ path: 'kv/y' })),
      )
      const answered = answers.filter((each) => each.status === 'fulfilled')
      assert.deepEqual([...new Set(answered.map(({ value }) => value.status))], [200])
    })

    await t.test('finishes the requests under way when it is stopped', async () => {
      const body = JSON.stringify({ late: true })
      const socket = connect(server.port, '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString()))
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.write(
        `POST /v1/kv/late HTTP/1.1\r\nHost: x\r\nX-Vault-Token: ${server.root}\r\n` +
          `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
      )
      await until(() => answer.includes('100 Continue'), PATIENCE_MS)
      const ended = server.stop()
      await until(
        async () => (await server.ask(SEAL_STATUS).catch(() => true)) === true,
        PATIENCE_MS,
      )
      socket.write(body)
      await closed
      assert.match(answer, /^HTTP\/1\.1 204 /m)
      assert.equal((await ended).code, 0)
    })
  })

  it('replaces a worker that was killed, and its clients see broken connections at most', async (t) => {
    const server = await WorkerServer.prepare(WORKERS)
    t.after(() => server.remove())
    await server.start()
    await server.initialise()
    await server.unseal()
    await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })
    await server.ask({ path: 'kv/x', body: { a: 1 } })
    let over = false
    t.after(() => (over = true))
    let slowest = 0
    const seen = new Set<string>()
    const client = async (): Promise<void> => {
      while (!over) {
        const told = await server.ask({ path: 'kv/x' }).then(
          ({ status }) => String(status),
          ({ code }: NodeJS.ErrnoException) => code ?? 'unknown',
        )
        seen.add(told)
      }
    }
    const clients = Array.from({ length: 4 }, client)
    // The second of one place dies young.
    for (let round = 0; round < 3; round++) {
      const [victim] = server.workers().toReversed()
      process.kill(victim!, 'SIGKILL')
      const took = await until(() => server.hasReplaced(victim!, WORKERS), PATIENCE_MS)
      slowest = Math.max(slowest, took)
    }
    over = true
    await Promise.all(clients)
    t.diagnostic(`replaced in ${slowest.toFixed(0)} ms`)
    for (const each of seen) assert.ok(['200', 'ECONNRESET', 'EPIPE'].includes(each), each)
    assert.deepEqual(await insist(() => server.everywhere({ path: 'kv/x' }, statusOf)), [200])

    // However it dies: its workers end, and another takes port and folder at once.
    const orphans = server.workers()
    await server.stop('SIGKILL')
    await server.start()
    await until(() => !orphans.some(isAlive), PATIENCE_MS)
    await server.unseal()
    assert.deepEqual(await server.everywhere({ path: 'kv/x' }, statusOf), [200])
    await server.stop()
  })

  it('replaces a worker that is silent for five seconds', async (t) => {
    const server = await WorkerServer.prepare(2)
    t.after(() => server.remove())
    await server.start()
    await server.initialise()
    await server.unseal()
    const [victim] = server.workers()
    process.kill(victim!, 'SIGSTOP')
    const took = await until(() => !isAlive(victim!), PATIENCE_MS)
    assert.ok(took > 3_000, `${took} ms`)
    await until(() => server.hasReplaced(victim!, 2), PATIENCE_MS)
    assert.deepEqual(await server.everywhere(SEAL_STATUS, sealedOf), [false])
    assert.match((await server.stop()).stderr, /is silent and is ended/)
  })

  it('refuses the folder and the port of another server', async (t) => {
    const server = await WorkerServer.prepare(2)
    const other = await WorkerServer.prepare(2)
    t.after(() => Promise.all([server.remove(), other.remove()]))
    await server.start()
    const again = await signet(['server', `-config=${server.config}`])
    assert.equal(again.code, 1)
    assert.match(
      again.stderr,
      new RegExp(`the data folder .* is in use by pid ${server.process.pid}\n`),
    )
    const config = readFileSync(other.config, 'utf8').replace(`:${other.port}`, `:${server.port}`)
    writeFileSync(other.config, config)
    const second = await signet(['server', `-config=${other.config}`])
    assert.equal(second.code, 1)
    assert.match(second.stderr, new RegExp(`${server.port} is in use by pid `))
    await server.stop()
  })

  it('gives keys to its workers on a pipe of their own alone', async (t) => {
    const server = await WorkerServer.prepare(2)
    t.after(() => server.remove())
    const record = join(server.folder, 'ipc')
    const child = spawn(
      process.execPath,
      [
        '--import',
        join(checkout, 'test', 'support', 'record-ipc.mjs'),
        join(checkout, 'src', 'main.ts'),
        'server',
        `-config=${server.config}`,
      ],
      { env: { PATH: process.env['PATH'], IPC_RECORD: record } },
    )
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', (chunk) => (said += String(chunk)))
    child.stderr.on('data', (chunk) => (said += String(chunk)))
    const closed = once(child, 'close')
    await until(
      () =>
        server.ask(SEAL_STATUS).then(
          () => true,
          () => false,
        ),
      PATIENCE_MS,
    )
    await server.initialise()
    await server.unseal()
    await server.ask({ path: 'sys/rotate', method: 'POST' })
    await server.ask({ path: 'sys/seal', method: 'PUT' })
    await insist(() => server.unseal())
    const supervisor = child.pid!
    const texts = [supervisor, ...childrenOf(supervisor)].flatMap((pid) => [
      readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
      readFileSync(`/proc/${pid}/environ`, 'latin1'),
    ])
    child.kill()
    await closed
    texts.push(said, readFileSync(record, 'latin1'))
    assert.ok(texts.at(-1)!.includes('listening'), 'the record has the messages')
    const key = Buffer.from(server.keys[0]!, 'hex')
    const forms = [
      ...(['latin1', 'hex', 'base64', 'base64url'] as const).map((form) => key.toString(form)),
      server.root,
    ]
    for (const text of texts) for (const form of forms) assert.ok(!text.includes(form))
  })
})

/** Tries again while connections of processes that end are broken. */
const insist = async <T>(task: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await task()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
      await wait(5)
    }
  }
}
