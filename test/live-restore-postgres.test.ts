import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Told } from './support/ask.ts'
import { skipWithout, startPostgres } from './support/postgres.ts'
import type { TestPostgres } from './support/postgres.ts'
import { download, upload } from './support/upload.ts'
import { until, WorkerServer } from './support/worker-server.ts'
import { Writers } from './support/writers.ts'

const PATIENCE_MS = 60_000
const KEYS = 30

const valueOf = ({ body }: Told): unknown => body?.data?.is
const statusOf = ({ status }: Told): number => status

const onDatabase = (database: TestPostgres, workers: number): Promise<WorkerServer> =>
  WorkerServer.prepare(
    workers,
    '',
    `storage "postgresql" { connection_url = "${database.url}" pool_size = 4 }`,
  )

/** Two nodes on a database, of 2 processes and of one, unsealed. */
const startNodes = async (database: TestPostgres): Promise<[WorkerServer, WorkerServer]> => {
  const one = await onDatabase(database, 2)
  await one.start()
  await one.initialise()
  await one.unseal()
  const two = await onDatabase(database, 1)
  two.keys = one.keys
  two.root = one.root
  await two.start()
  await two.unseal()
  return [one, two]
}

/** A server on LMDB, unsealed, with `kv/`. */
const startLmdb = async (is: string): Promise<WorkerServer> => {
  const server = await WorkerServer.prepare(1)
  await server.start()
  await server.initialise()
  await server.unseal()
  await fillWith(server, is)
  return server
}

const fillWith = async (server: WorkerServer, is: string): Promise<void> => {
  await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })
  for (let key = 0; key < KEYS; key++) await server.ask({ path: `kv/k${key}`, body: { is } })
}

describe(
  'a restore into a database of two running nodes',
  { skip: skipWithout('postgres') },
  () => {
    it('shows the old data on both until it is done and then the new, while clients write and read', async (t) => {
      const database = await startPostgres()
      t.after(() => database.stop())
      const [one, two] = await startNodes(database)
      t.after(() => Promise.all([one.remove(), two.remove()]))
      await fillWith(one, 'saved')
      const saved = await download(one.url, one.root)
      // Both have to go back behind it.
      assert.ok((await two.ask({ path: 'sys/rotate', method: 'POST' })).status < 300)
      await fillWith(one, 'later')
      const writers = [new Writers(one, 3, 'a'), new Writers(two, 3, 'b')]
      const seen: { began: number; ended: number; is: unknown }[] = []
      let over = false
      const reading = [one, two].map(async (node) => {
        for (let round = 0; !over; round++) {
          const began = performance.now()
          const told = await node.ask({ path: `kv/k${round % KEYS}` })
          if (told.status === 503) continue
          assert.equal(told.status, 200, JSON.stringify(told.body))
          seen.push({ began, ended: performance.now(), is: valueOf(told) })
        }
      })
      const written = () => writers.reduce((sum, { writes }) => sum + writes.length, 0)
      await until(() => written() > 100, PATIENCE_MS)
      const backup = download(two.url, two.root)
      const began = performance.now()
      const { status, body } = await upload(one.url, 'sys/storage/snapshot', one.root, saved)
      const ended = performance.now()
      assert.equal(status, 200, JSON.stringify(body))
      const so = written()
      await until(() => written() > so + 60, PATIENCE_MS)
      over = true
      await Promise.all([...reading, ...writers.map((each) => each.end())])
      // One that was being taken is of the one data or of the other.
      assert.ok((await backup).length > saved.length / 2)

      for (const each of seen) {
        if (each.ended < began) assert.equal(each.is, 'later')
        if (each.began > ended) assert.equal(each.is, 'saved')
      }
      const first = Math.min(...seen.filter(({ is }) => is === 'saved').map((each) => each.ended))
      assert.ok(seen.every(({ began: at, is }) => at < first || is === 'saved'))
      const listed = await two.ask({ path: 'kv', method: 'LIST' })
      const present = new Set<string>(listed.body.data.keys)
      let refused = 0
      for (const write of writers.flatMap(({ writes }) => writes)) {
        assert.ok(write.status === 204 || write.status === 503, `${write.status}`)
        if (write.status === 503) refused++
        if (write.ended < began) assert.ok(!present.has(write.name), `${write.name} is back`)
        if (write.began > ended && write.status === 204) assert.ok(present.has(write.name))
      }
      t.diagnostic(
        `${(ended - began).toFixed(0)} ms; ${refused} of ${written()} writes 503; ${seen.length} reads`,
      )
      // Everything that stands there opens under the keys of the snapshot.
      for (const node of [one, two]) {
        assert.deepEqual(
          await node.everywhere({ path: 'sys/key-status' }, ({ body: b }) => b.term),
          [1],
        )
        await node.stop()
      }
      await two.start()
      await two.unseal()
      for (const name of present) assert.equal((await two.ask({ path: `kv/${name}` })).status, 200)
    })

    it('takes the data of LMDB, seals the nodes under another seal, and gives it back to LMDB', async (t) => {
      const database = await startPostgres()
      t.after(() => database.stop())
      const [one, two] = await startNodes(database)
      const lmdb = await startLmdb('of LMDB')
      t.after(() => Promise.all([one.remove(), two.remove(), lmdb.remove()]))
      await fillWith(one, 'of the database')
      const foreign = await download(lmdb.url, lmdb.root)

      const refused = await upload(one.url, 'sys/storage/snapshot', one.root, foreign)
      assert.equal(refused.status, 400)
      assert.match(refused.body.errors[0], /of another seal/)
      const torn = foreign.subarray(0, foreign.length - 1)
      assert.equal(
        (await upload(one.url, 'sys/storage/snapshot-force', one.root, torn)).status,
        400,
      )
      for (const node of [one, two]) {
        assert.deepEqual(await node.everywhere({ path: 'kv/k1' }, valueOf), ['of the database'])
      }

      const forced = await upload(one.url, 'sys/storage/snapshot-force', one.root, foreign)
      assert.equal(forced.status, 200, JSON.stringify(forced.body))
      assert.equal(forced.body.data.sealed, true)
      // Nothing but "sealed" comes from any process of any node; one that is just being replaced breaks the connection.
      const answersNow = (): Promise<unknown> =>
        two.everywhere({ path: 'kv/k1' }, statusOf).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET') throw error
        })
      let answers = await answersNow()
      for (let left = 50; answers === undefined && left > 0; left--) {
        await wait(100)
        answers = await answersNow()
      }
      assert.deepEqual(answers, [503])
      const isSealed = (node: WorkerServer) => () =>
        node
          .everywhere({ path: 'sys/seal-status', token: '' }, ({ body }) => body.sealed)
          .then((all) => all.length === 1 && all[0] === true)
          .catch(() => false)
      for (const node of [one, two]) {
        await until(isSealed(node), PATIENCE_MS)
        node.keys = lmdb.keys
        node.root = lmdb.root
        await node.unseal()
        assert.deepEqual(await node.everywhere({ path: 'kv/k1' }, valueOf), ['of LMDB'])
      }
      assert.equal((await one.ask({ path: 'kv/new', body: { is: 'new' } })).status, 204)
      assert.equal(valueOf(await two.ask({ path: 'kv/new' })), 'new')

      const back = await download(two.url, two.root)
      assert.equal((await upload(lmdb.url, 'sys/storage/snapshot', lmdb.root, back)).status, 200)
      assert.equal(valueOf(await lmdb.ask({ path: 'kv/new' })), 'new')
      assert.match((await two.stop()).stderr, /replaced by a snapshot of another seal/)
    })
  },
)
