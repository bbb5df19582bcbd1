import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { after, before, describe, it } from 'node:test'
import type { TestPostgres } from '../../../test/support/postgres.ts'
import { skipWithout, startPostgres } from '../../../test/support/postgres.ts'
import { bytes, put, soon, texts } from '../conformance/kit.ts'
import type { Store } from '../store.ts'
import type { PostgresStoreHandle } from './postgres-store.ts'
import { openPostgresStore } from './postgres-store.ts'

const HOUR_MS = 3_600_000

describe('the clock of PostgreSQL', { skip: skipWithout('postgres') }, () => {
  let server: TestPostgres
  let schemas = 0
  before(async () => {
    server = await startPostgres()
  })
  after(async () => server.stop())

  /** Opens nodes on a schema of its own. */
  const place = (t: TestContext) => {
    const schema = `test_${(schemas += 1)}`
    t.after(() => server.setClock(0))
    return {
      open: async (log = (_line: string) => {}): Promise<PostgresStoreHandle> => {
        const node = await openPostgresStore({ connectionUrl: server.url, schema, log })
        t.after(() => node.close())
        return node
      },
      floor: async (): Promise<number> => {
        const [row] = await server.run(`select last_value from ${schema}.clock`)
        return Number(row!['last_value'])
      },
      schema,
    }
  }
  const nowOf = async (node: Store): Promise<number> => (await node.versions([], soon())).now

  /** Asks a node until what it told before is kept; a second by itself. */
  const kept = async (node: Store, time: number, floor: () => Promise<number>): Promise<void> => {
    while ((await floor()) < time) await nowOf(node)
  }

  it('is not set back by one that is, not even when nodes and database start again', async (t) => {
    const { open, floor } = place(t)
    await server.setClock(HOUR_MS)
    const first = await open()
    await put(first, { a: '1' })
    const told = await nowOf(first)
    assert.ok(told > Date.now() + HOUR_MS / 2)
    await kept(first, told, floor)
    await server.setClock(-HOUR_MS)
    const beside = await open()
    assert.ok((await nowOf(first)) >= told)
    assert.ok((await nowOf(beside)) >= told)
    await put(beside, { a: '2' })
    await Promise.all([first.close(), beside.close()])
    await server.halt('crash')
    await server.start()
    const again = await open()
    assert.ok((await nowOf(again)) >= told)
    assert.deepEqual(await texts(again, ['a']), ['2'])
  })

  it('goes on while the one it follows is behind, for nodes that start later, too', async (t) => {
    const { open, floor } = place(t)
    const first = await open()
    const told = await nowOf(first)
    await kept(first, told, floor)
    await server.setClock(-HOUR_MS)
    // Only what the node carries on itself can get there.
    const later = told + 1_500
    while ((await nowOf(first)) < later);
    await kept(first, later, floor)
    await first.close()
    const second = await open()
    assert.ok((await nowOf(second)) >= later)
  })

  it('has a floor from the first answer on', async (t) => {
    const { open, floor } = place(t)
    const before = Date.now()
    const node = await open()
    assert.ok((await floor()) >= before)
    assert.ok((await floor()) <= (await nowOf(node)))
  })

  it('is moved on by one node, and not while it is new enough', async (t) => {
    const { open, floor, schema } = place(t)
    await open()
    const move = async (known: number, step: number): Promise<number> => {
      const [row] = await server.run(`select out_now from ${schema}.clock_move(${known}, ${step})`)
      return Number(row!['out_now'])
    }
    const start = await floor()
    const soonKnown = start + HOUR_MS
    assert.equal(await move(soonKnown, 2 * HOUR_MS), soonKnown)
    assert.equal(await floor(), start)
    assert.equal(await move(soonKnown, HOUR_MS), soonKnown)
    assert.equal(await floor(), soonKnown)
    assert.equal(await move(0, 1_000), soonKnown)
    // Whoever is at it is not waited for.
    const { Client } = await import('pg')
    const other = new Client(server.url)
    await other.connect()
    t.after(() => other.end())
    await other.query('begin')
    await other.query(`select pg_advisory_xact_lock('${schema}.clock'::regclass::oid::integer, 0)`)
    assert.equal(await move(soonKnown + HOUR_MS, 1_000), soonKnown + HOUR_MS)
    assert.equal(await floor(), soonKnown)
  })

  it('is not set back by a restore', async (t) => {
    const { open, floor } = place(t)
    await server.setClock(HOUR_MS)
    const node = await open()
    await put(node, { a: '1' })
    const told = await nowOf(node)
    await kept(node, told, floor)
    await server.setClock(0)
    const entries = async function* () {
      yield { key: bytes('b'), version: 1, value: bytes('2') }
    }
    const replacement = await node.prepareReplacement(entries(), [bytes('stamp')])
    await replacement.exchange()
    await replacement.drop()
    const second = await open()
    assert.deepEqual(await texts(second, ['a', 'b']), [undefined, '2'])
    assert.ok((await nowOf(second)) >= told)
  })

  it('goes on where the floor cannot be moved', async (t) => {
    const { open, schema } = place(t)
    const lines: string[] = []
    const node = await open((line) => lines.push(line))
    await server.run(`drop sequence ${schema}.clock`)
    const until = (await nowOf(node)) + 1_200
    while ((await nowOf(node)) < until);
    await put(node, { a: '1' })
    assert.deepEqual(await texts(node, ['a']), ['1'])
    while (lines.length === 0) await nowOf(node)
    assert.match(lines[0]!, /does not keep the time, .*clock" does not exist/)
  })
})
