import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import type { Told } from './support/ask.ts'
import { foundInMemory } from './support/process-memory.ts'
import { isAlive, openedBy, until, WorkerServer } from './support/worker-server.ts'

const WORKERS = 2

/** This only keeps a test from hanging, on whatever machine. */
const PATIENCE_MS = 60_000

const SEAL_STATUS = { path: 'sys/seal-status', token: '' }

const sealedOf = ({ body }: Told): boolean => body.sealed

const started = async (t: TestContext, more?: string): Promise<WorkerServer> => {
  const server = await WorkerServer.prepare(WORKERS, more)
  t.after(() => server.remove())
  await server.start()
  await server.initialise()
  await server.unseal()
  return server
}

/** Waits until all workers listen and there is a spare; gives its pid. */
const spareOf = async (server: WorkerServer): Promise<number> => {
  await until(
    () => server.workers().length === WORKERS && server.others().length === 1,
    PATIENCE_MS,
  )
  return server.others()[0]!
}

/** The same, once it has loaded everything: the module of the store comes last. */
const loadedSpareOf = async (server: WorkerServer): Promise<number> => {
  const spare = await spareOf(server)
  await until(() => readFileSync(`/proc/${spare}/maps`, 'utf8').includes('lmdb'), PATIENCE_MS)
  return spare
}

const kill = (pid: number): void => void process.kill(pid, 'SIGKILL')

/** Tries again while connections of processes that end are broken. */
const sealedEverywhere = async (server: WorkerServer): Promise<readonly boolean[]> => {
  for (;;) {
    try {
      return await server.everywhere(SEAL_STATUS, sealedOf)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    }
  }
}

const workersByMetrics = async (server: WorkerServer): Promise<number> => {
  const { body } = await server.ask({ path: 'sys/metrics?format=prometheus' })
  return Number(/^signet_processes\{role="worker"\} (\d+)$/m.exec(body)?.[1])
}

describe('the spare process of a server of several workers', { concurrency: 2 }, () => {
  it('counts for no worker, takes the place of one that was killed, and is followed by another', async (t) => {
    const server = await started(t)
    for (let round = 0; round < 3; round++) {
      const spare = await spareOf(server)
      assert.equal(await workersByMetrics(server), WORKERS)
      const [victim, other] = server.workers()
      kill(victim!)
      await until(() => server.hasReplaced(victim!, WORKERS), PATIENCE_MS)
      assert.deepEqual(new Set(server.workers()), new Set([other, spare]))
      assert.deepEqual(await sealedEverywhere(server), [false])
    }
    assert.equal(await workersByMetrics(server), WORKERS)
    assert.notEqual(await spareOf(server), undefined)
  })

  it('knows no key, no configuration and no store before', async (t) => {
    const server = await started(t)
    await server.askAll({ path: 'auth/token/lookup-self' })
    const spare = await loadedSpareOf(server)
    const key = Buffer.from(server.keys[0]!, 'hex')
    const secrets = [
      key,
      ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(key.toString(form))),
      Buffer.from(server.root),
      Buffer.from(server.folder),
    ]
    // Where they are they are found.
    assert.ok(foundInMemory(server.process.pid, secrets).includes(key))
    const [worker] = server.workers()
    assert.ok(foundInMemory(worker!, secrets).includes(secrets.at(-1)!))
    assert.deepEqual(foundInMemory(spare, secrets), [])
    // Who has the store open has its lock file open.
    const isLock = (file: string): boolean =>
      file.startsWith(server.folder) && file.endsWith('-lock')
    assert.ok(openedBy(worker!).some(isLock))
    assert.ok(!openedBy(spare).some(isLock))
  })

  it('is followed by another when it is killed, and workers stay what they are', async (t) => {
    const server = await started(t)
    const workers = server.workers()
    for (let round = 0; round < 3; round++) {
      const spare = await spareOf(server)
      kill(spare)
      await until(async () => (await spareOf(server)) !== spare, PATIENCE_MS)
    }
    assert.deepEqual(server.workers(), workers)
    const { stderr, stdout } = await server.stop()
    assert.match(stdout + stderr, /the spare process \d+ ended with SIGKILL/)
    assert.doesNotMatch(stdout + stderr, /worker \d+ (ended|did not start)/)
  })

  it('is followed by another when it is silent for five seconds', async (t) => {
    const server = await started(t)
    const spare = await loadedSpareOf(server)
    process.kill(spare, 'SIGSTOP')
    const took = await until(() => !isAlive(spare), PATIENCE_MS)
    assert.ok(took > 3_000, `${took} ms`)
    assert.notEqual(await spareOf(server), spare)
    const { stderr, stdout } = await server.stop()
    assert.match(stdout + stderr, new RegExp(`the spare process ${spare} is silent and is ended`))
  })

  it('is missing until all workers are back when it dies together with them', async (t) => {
    const server = await started(t)
    await spareOf(server)
    const present = server.processes()
    for (const pid of present) kill(pid)
    await until(() => !present.some(isAlive), PATIENCE_MS)
    await spareOf(server)
    assert.deepEqual(await sealedEverywhere(server), [false])
  })

  it('takes the first place of the workers that a seal replaces', async (t) => {
    const server = await started(t)
    const spare = await spareOf(server)
    const old = server.workers()
    assert.equal((await server.ask({ path: 'sys/seal', method: 'PUT' })).status, 204)
    await until(() => !old.some(isAlive), PATIENCE_MS)
    assert.ok(server.workers().includes(spare))
    const next = await spareOf(server)
    const [victim] = server.workers()
    kill(victim!)
    await until(() => server.hasReplaced(victim!, WORKERS), PATIENCE_MS)
    assert.ok(server.workers().includes(next))
    assert.deepEqual(await sealedEverywhere(server), [true])
    await server.unseal()
    assert.deepEqual(await sealedEverywhere(server), [false])
  })

  it('is not spent again and again on a worker that cannot start', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-audit-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const log = join(folder, 'audit.log')
    const server = await started(t, `audit "file" "main" { options = { file_path = "${log}" } }`)
    const spare = await spareOf(server)
    renameSync(log, `${log}.old`)
    mkdirSync(log)
    const [victim] = server.workers()
    kill(victim!)
    await until(() => !isAlive(victim!), PATIENCE_MS)
    const tried = new Set<number>()
    await until(() => {
      // One after the other: no spare is made beside one that tries.
      const trying = server.others()
      assert.ok(trying.length <= 1, `${trying.length} processes`)
      for (const pid of trying) tried.add(pid)
      return tried.size >= 4
    }, PATIENCE_MS)
    assert.ok(tried.has(spare))
    rmdirSync(log)
    await spareOf(server)
    assert.deepEqual(await sealedEverywhere(server), [false])
  })

  it('ends with the server, and with a supervisor that was killed', async (t) => {
    const server = await started(t)
    await spareOf(server)
    const present = server.processes()
    assert.equal(present.length, WORKERS + 1)
    assert.equal((await server.stop()).code, 0)
    assert.ok(!present.some(isAlive))

    await server.start()
    await loadedSpareOf(server)
    const orphans = server.processes()
    await server.stop('SIGKILL')
    await until(() => !orphans.some(isAlive), PATIENCE_MS)

    // One that has loaded nothing yet hears of it, too.
    await server.start()
    await spareOf(server)
    const young = server.processes()
    await server.stop('SIGKILL')
    await until(() => !young.some(isAlive), PATIENCE_MS)
  })
})
