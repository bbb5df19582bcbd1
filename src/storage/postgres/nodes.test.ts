import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import type { TestPgBouncer, TestPostgres } from '../../../test/support/postgres.ts'
import { skipWithout, startPgBouncer, startPostgres } from '../../../test/support/postgres.ts'
import { storeConformance } from '../conformance.ts'
import { bytes, hexes, numberAt, put, read, soon, tryIncrement, upTo } from '../conformance/kit.ts'
import type { Commit, Store, Version } from '../store.ts'
import { newVersion } from '../store.ts'
import { openPostgresStore } from './postgres-store.ts'

/** Acknowledged on one node, asked for at once on another, by readers that are busy with it all the time. */
const expectStrict = async (writer: Store, reader: Store, rounds: number): Promise<void> => {
  const token = bytes('t/token')
  const shared = upTo(5).map((index) => bytes(`st/${index}`))
  let over = false
  const busy = upTo(8).map(async () => {
    while (!over) await reader.versions([token, ...shared], soon())
  })
  for (const round of upTo(rounds)) {
    const id = newVersion()
    const value = round % 2 === 0 ? bytes('alive') : undefined
    await writer.commit({ id, checks: [], writes: [{ key: token, value }] }, soon())
    const [versions, stored] = await Promise.all([
      reader.versions([token, ...shared], soon()),
      reader.read([token], soon()),
    ])
    const version = value === undefined ? 0 : id
    assert.equal(versions.items[0], version)
    assert.equal(stored.items[0]!.version, version)
    assert.ok(stored.now > 0)
  }
  over = true
  await Promise.all(busy)
}

describe('several nodes on one PostgreSQL', { skip: skipWithout('postgres') }, () => {
  let server: TestPostgres
  let schemas = 0
  before(async () => {
    server = await startPostgres()
  })
  after(async () => server.stop())

  const openNodes = async (test: TestContext, count: number, port?: number): Promise<Store[]> => {
    const schema = `test_${(schemas += 1)}`
    const connectionUrl = server.urlWith(port === undefined ? {} : { port })
    // All at once: the schema is made by one of them, the others wait.
    const nodes = await Promise.all(
      upTo(count).map(async () => openPostgresStore({ connectionUrl, schema })),
    )
    test.after(async () => {
      await Promise.all(nodes.map((node) => node.close()))
    })
    return nodes
  }

  it('act on what another has acknowledged, thousands of times', async (t) => {
    const [a, b] = await openNodes(t, 2)
    await expectStrict(a!, b!, 1_500)
  })

  it('refuse every commit that rests on what another has revoked', async (t) => {
    const [a, b] = await openNodes(t, 2)
    const token = bytes('t/token')
    for (const round of upTo(150)) {
      const alive = await put(a!, { 't/token': String(round) })
      const useful = (index: number): Commit => ({
        id: newVersion(),
        checks: [{ key: token, version: alive }],
        writes: [{ key: bytes(`by/${round}/${index}`), value: bytes('x') }],
      })
      let revoked = false
      const late: Promise<string>[] = []
      const before = upTo(4).map(async (index) => b!.commit(useful(index), soon()))
      const revoke = a!
        .commit(
          { id: newVersion(), checks: [], writes: [{ key: token, value: undefined }] },
          soon(),
        )
        .then(() => {
          revoked = true
          for (const index of [4, 5]) {
            late.push(b!.commit(useful(index), soon()).then(({ kind }) => kind))
          }
        })
      await Promise.all([...before, revoke])
      assert.ok(revoked)
      assert.deepEqual(await Promise.all(late), ['conflict', 'conflict'])
    }
  })

  it('count together exactly what was acknowledged, whatever gets in the way of what', async (t) => {
    const nodes = await openNodes(t, 3)
    const keys = upTo(4).map((index) => bytes(`c/${index}`))
    const acknowledged = keys.map(() => 0)
    const work = async (worker: number): Promise<void> => {
      for (const round of upTo(40)) {
        const at = (worker * 7 + round * 3) % keys.length
        if (await tryIncrement(nodes[worker % nodes.length]!, keys[at]!)) acknowledged[at]! += 1
      }
    }
    await Promise.all(upTo(36).map(work))
    assert.deepEqual(await Promise.all(keys.map((key) => numberAt(nodes[0]!, key))), acknowledged)
  })

  it('commit many large overlapping batches without deadlock', async (t) => {
    const nodes = await openNodes(t, 3)
    const keys = upTo(300).map((index) => bytes(`k/${index}`))
    const commit = async (worker: number): Promise<string> => {
      const { kind } = await nodes[worker % 3]!.commit(
        {
          id: newVersion(),
          checks: [],
          writes: upTo(100).map((index) => ({
            key: keys[(worker * 37 + index * 3) % keys.length]!,
            value: bytes(String(worker)),
          })),
        },
        soon(),
      )
      return kind
    }
    const kinds = await Promise.all(upTo(60).map(commit))
    assert.deepEqual([...new Set(kinds)], ['committed'])
  })

  it('do with a batch what they would do one after the other', async (t) => {
    const [node] = await openNodes(t, 1)
    const model = new Map<string, Version>()
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const one = fc.record({
      checks: fc.array(fc.record({ key, right: fc.integer({ min: 0, max: 4 }) }), { maxLength: 3 }),
      writes: fc.uniqueArray(fc.record({ key, puts: fc.boolean() }), {
        minLength: 1,
        maxLength: 3,
        selector: (write) => write.key,
      }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 2, maxLength: 12 }), async (steps) => {
        const wanted: (readonly string[] | undefined)[] = []
        // All in one turn of the event loop, so in one batch, which keeps their order.
        const outcomes = steps.map(async ({ checks, writes }) => {
          const commit: Commit = {
            id: newVersion(),
            checks: checks.map((check) => ({
              key: bytes(check.key),
              version: check.right > 0 ? (model.get(check.key) ?? 0) : newVersion(),
            })),
            writes: writes.map((write) => ({
              key: bytes(write.key),
              value: write.puts ? bytes('x') : undefined,
            })),
          }
          const stale = commit.checks.filter(
            (check) => (model.get(Buffer.from(check.key).toString()) ?? 0) !== check.version,
          )
          wanted.push(stale.length > 0 ? hexes(stale.map((check) => check.key)) : undefined)
          if (stale.length === 0) {
            for (const write of writes) model.set(write.key, write.puts ? commit.id : 0)
          }
          const outcome = await node!.commit(commit, soon())
          return outcome.kind === 'conflict' ? hexes(outcome.stale) : undefined
        })
        assert.deepEqual(await Promise.all(outcomes), wanted)
        const versions = await node!.versions(['a', 'b', 'c', 'd'].map(bytes), soon())
        assert.deepEqual(
          versions.items,
          ['a', 'b', 'c', 'd'].map((name) => model.get(name) ?? 0),
        )
      }),
      { numRuns: 40, endOnFailure: true },
    )
  })

  it('let one commit wait for a lock that somebody holds, and the others of its batch pass', async (t) => {
    const [node] = await openNodes(t, 1)
    await put(node!, { held: '0', free: '0' })
    const schema = `test_${schemas}`
    // A stranger's transaction on the same lock: as a node that hangs in the middle of its commit.
    const { Client } = await import('pg')
    const stranger = new Client(server.url)
    await stranger.connect()
    t.after(async () => stranger.end())
    const { crc32 } = await import('node:zlib')
    await stranger.query('begin')
    await stranger.query(
      `select pg_advisory_xact_lock('${schema}.kv'::regclass::oid::integer, ${crc32('held') % 4096})`,
    )
    let heldIsOver = false
    const held = put(node!, { held: '1' }).then(() => (heldIsOver = true))
    await Promise.all(upTo(30).map(async (index) => put(node!, { [`free/${index}`]: '1' })))
    assert.equal(heldIsOver, false)
    await stranger.query('commit')
    await held
    assert.equal(Buffer.from((await read(node!, bytes('held'))).value!).toString(), '1')
  })

  it('remove the fate of old transactions, and keep that of new ones, also when the clock has leapt ahead', async (t) => {
    const [node] = await openNodes(t, 1)
    const schema = `test_${schemas}`
    await put(node!, { a: '1' })
    const { PruneLane } = await import('./prune-lane.ts')
    const { firstIdAt } = await import('./commit-batch.ts')
    const { statements } = await import('./schema-sql.ts')
    const { Connection } = await import('./connection.ts')
    const { DeadlineWatch } = await import('../deadline-watch.ts')
    const { parseConnectionUrl } = await import('./connection-url.ts')
    const present = Date.now()
    const hours = (count: number): number => count * 3_600_000
    const commitsOf = (age: number, count: number): Promise<unknown> => {
      const id = `('${firstIdAt(present - hours(age)).slice(0, 12)}' || lpad(i::text, 20, '0'))::uuid`
      const at = `now() - interval '${age} hours'`
      return server.run(
        `insert into ${schema}.commits (id, at) select ${id}, ${at} from generate_series(1, ${count}) i`,
      )
    }
    let now = 0
    const lane = new PruneLane({
      statements: statements(`"${schema}"`),
      now: () => now,
      observe: (time) => time,
      wake: () => {},
    })
    const target = parseConnectionUrl(server.url)
    const connection = await Connection.open(
      target,
      target.hosts[0]!,
      { tls: false, startupTimeouts: true },
      { connectMs: 30_000, statementMs: 30_000 },
      new DeadlineWatch(),
    )
    let steps = 0
    const keptAt = async (time: number): Promise<unknown> => {
      now = time
      lane.begin()
      for (steps = 0; lane.ready(); steps++) await lane.start(connection)
      const [row] = await server.run(`select count(*)::int as rows from ${schema}.commits`)
      return row!['rows']
    }
    await commitsOf(4, 5_000)
    assert.equal(await keptAt(present - hours(2) - 60_000), 5_001)
    // A minute later, and then the clock leaps by two hours: these ten are of just now.
    await commitsOf(2, 10)
    assert.equal(await keptAt(present), 11)
    assert.equal(steps, 3)
    assert.equal(await keptAt(present + 60_000), 1)
    lane.close()
    await connection.close()
  })

  describe('behind PgBouncer in transaction mode', { skip: skipWithout('pgbouncer') }, () => {
    let pooler: TestPgBouncer
    before(async () => {
      // Fewer connections than one node has: sessions change with each transaction.
      pooler = await startPgBouncer(server, 3)
    })
    after(async () => pooler.stop())

    storeConformance('the PostgreSQL store', async () => {
      const connectionUrl = server.urlWith({ port: pooler.port })
      const options = { connectionUrl, schema: `test_${(schemas += 1)}` }
      return { store: await openPostgresStore(options), second: await openPostgresStore(options) }
    })

    it('act on what another has acknowledged, hundreds of times', async (t) => {
      const [a, b] = await openNodes(t, 2, pooler.port)
      await expectStrict(a!, b!, 500)
    })

    it('leave no setting behind in the sessions that they share', async (t) => {
      const [a] = await openNodes(t, 1, pooler.port)
      await Promise.all(upTo(50).map(async (index) => put(a!, { [`k/${index}`]: '1' })))
      const { Client } = await import('pg')
      const client = new Client(server.urlWith({ port: pooler.port }))
      await client.connect()
      t.after(async () => client.end())
      for (const _ of upTo(10)) {
        const { rows } = await client.query(
          "select current_setting('lock_timeout') as lock, current_setting('search_path') as path, current_setting('enable_seqscan') as scan, (select count(*)::int from pg_prepared_statements) as prepared",
        )
        assert.deepEqual(rows, [{ lock: '0', path: '"$user", public', scan: 'on', prepared: 0 }])
      }
    })
  })
})
