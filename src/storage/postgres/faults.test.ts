import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { CuttingProxy, Verdict } from '../../../test/support/cutting-proxy.ts'
import { startCuttingProxy } from '../../../test/support/cutting-proxy.ts'
import type { TestPostgres } from '../../../test/support/postgres.ts'
import { skipWithout, startPostgres } from '../../../test/support/postgres.ts'
import {
  bytes,
  numberAt,
  put,
  read,
  soon,
  texts,
  tryIncrement,
  upTo,
  writesOf,
} from '../conformance/kit.ts'
import { pseudoRandom } from '../faults/jitter-store.ts'
import type { Commit, Store } from '../store.ts'
import { deadlineIn, newVersion, Unavailable, Unknown } from '../store.ts'
import type { PostgresOptions, PostgresStoreHandle } from './postgres-store.ts'
import { openPostgresStore } from './postgres-store.ts'

const isCommit = (data: Uint8Array): boolean => Buffer.from(data).includes('kv_commit_many')
const isSettling = (data: Uint8Array): boolean => Buffer.from(data).includes('kv_settle')

const commitOf = (
  entries: Record<string, string | undefined>,
  absent: readonly string[] = [],
): Commit => ({
  id: newVersion(),
  checks: absent.map((key) => ({ key: bytes(key), version: 0 })),
  writes: writesOf(entries),
})

describe('PostgreSQL that goes away', { skip: skipWithout('postgres') }, () => {
  let server: TestPostgres
  let proxy: CuttingProxy
  let schemas = 0
  before(async () => {
    server = await startPostgres()
    proxy = await startCuttingProxy(server)
  })
  after(async () => {
    await proxy.stop()
    await server.stop()
  })

  /** A store behind the proxy, and one with a way of its own. */
  const open = async (
    test: TestContext,
    options: Partial<PostgresOptions> = {},
  ): Promise<{ readonly store: PostgresStoreHandle; readonly direct: PostgresStoreHandle }> => {
    const schema = `test_${(schemas += 1)}`
    const direct = await openPostgresStore({ connectionUrl: server.url, schema })
    proxy.judge = () => 'pass'
    proxy.open = true
    const connectionUrl = server.urlWith({ port: proxy.port })
    const store = await openPostgresStore({ connectionUrl, schema, ...options })
    test.after(async () => {
      proxy.judge = () => 'pass'
      proxy.open = true
      await store.close()
      await direct.close()
    })
    return { store, direct }
  }

  /** The next time these bytes pass, this is done with them. */
  const once = (
    matches: (from: 'client' | 'server', data: Uint8Array) => boolean,
    verdict: Verdict,
  ): void => {
    proxy.judge = (from, data) => {
      if (!matches(from, data)) return 'pass'
      proxy.judge = () => 'pass'
      return verdict
    }
  }

  /** The answer to the next commit. */
  const onceAnswered = (verdict: Verdict): void => {
    let sent = false
    once((from, data) => {
      if (from === 'client' && isCommit(data)) sent = true
      return sent && from === 'server'
    }, verdict)
  }

  it('settles a commit whose answer was lost: it happened once', async (t) => {
    const { store, direct } = await open(t)
    onceAnswered('cut')
    const commit = commitOf({ a: '1' }, ['a'])
    assert.equal((await store.commit(commit, soon())).kind, 'committed')
    assert.equal((await read(direct, bytes('a'))).version, commit.id)
  })

  it('tells the conflicts, too, of a batch whose answer was lost', async (t) => {
    const { store, direct } = await open(t)
    await put(store, { taken: 'x' })
    onceAnswered('cut')
    const outcomes = await Promise.all([
      store.commit(commitOf({ a: '1' }, ['a']), soon()),
      store.commit(commitOf({ b: '2' }, ['b', 'taken', 'c']), soon()),
      store.commit(commitOf({ a: '3' }, ['a']), soon()),
      store.commit(commitOf({ d: '4' }), soon()),
    ])
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === 'conflict' ? outcome.stale.map(String) : 'done')),
      ['done', [String(bytes('taken'))], [String(bytes('a'))], 'done'],
    )
    assert.deepEqual(await texts(direct, ['a', 'b', 'c', 'd']), ['1', undefined, undefined, '4'])
  })

  for (const verdict of ['cut', 'pass-then-cut'] as const) {
    it(`commits once when the question is lost (${verdict})`, async (t) => {
      const { store, direct } = await open(t)
      once((from, data) => from === 'client' && isCommit(data), verdict)
      const commit = commitOf({ a: '1' }, ['a'])
      assert.equal((await store.commit(commit, soon())).kind, 'committed')
      assert.equal((await read(direct, bytes('a'))).version, commit.id)
    })
  }

  it('lets no commit happen later that was found not to have happened', async (t) => {
    const { store, direct } = await open(t)
    once((from, data) => from === 'client' && isCommit(data), 'hold')
    const commit = commitOf({ a: '1' }, ['a'])
    assert.equal((await store.commit(commit, soon())).kind, 'committed')
    // Now the key is absent again, as the held commit demands.
    await put(direct, { a: undefined })
    await proxy.release()
    assert.deepEqual(await texts(direct, ['a']), [undefined])
  })

  it('settles through several losses', async (t) => {
    const { store, direct } = await open(t)
    let losses = 0
    proxy.judge = (from, data) => {
      const hurt = from === 'client' && (isCommit(data) || isSettling(data)) && losses < 5
      if (hurt) losses += 1
      return hurt ? 'pass-then-cut' : 'pass'
    }
    const commit = commitOf({ a: '1' }, ['a'])
    assert.equal((await store.commit(commit, soon())).kind, 'committed')
    assert.equal(losses, 5)
    assert.equal((await read(direct, bytes('a'))).version, commit.id)
  })

  it('says Unknown when a lost commit cannot be settled before the deadline', async (t) => {
    const { store, direct } = await open(t)
    proxy.judge = (from, data) => {
      if (from !== 'client' || !isCommit(data)) return 'pass'
      proxy.open = false
      return 'pass-then-cut'
    }
    await assert.rejects(store.commit(commitOf({ a: '1' }), deadlineIn(300)), Unknown)
    proxy.judge = () => 'pass'
    proxy.open = true
    await put(store, { b: '2' })
    assert.deepEqual(await texts(direct, ['b']), ['2'])
  })

  it('says Unavailable when nothing was sent, waits no longer than it may, and recovers', async (t) => {
    const logged: string[] = []
    const { store } = await open(t, { waitMs: 200, log: (line) => logged.push(line) })
    proxy.open = false
    proxy.cutAll()
    // A commit put on a connection that is dead and does not know it yet counts as sent.
    await assert.rejects(store.read([bytes('a')], soon()), Unavailable)
    const began = performance.now()
    const calls = [
      store.read([bytes('a')], soon()),
      store.versions([bytes('a')], soon()),
      store.list({ from: bytes('a'), to: bytes('b'), limit: 1 }, soon()),
      store.commit(commitOf({ a: '1' }), soon()),
      store.commit(
        { id: newVersion(), checks: [{ key: bytes('a'), version: 0 }], writes: [] },
        soon(),
      ),
    ]
    for (const end of await Promise.allSettled<unknown>(calls)) {
      assert.ok(end.status === 'rejected' && end.reason instanceof Unavailable)
      assert.match(end.reason.message, new RegExp(`127.0.0.1:${proxy.port}`))
    }
    // Generous: the seam's own deadline is thirty seconds away.
    assert.ok(performance.now() - began < 10_000)
    assert.match(store.unreachable ?? '', new RegExp(`127.0.0.1:${proxy.port}`))
    assert.match(logged.join('\n'), /cannot be used/)
    proxy.open = true
    await put(store, { a: '2' })
    assert.deepEqual(await texts(store, ['a']), ['2'])
    assert.equal(store.unreachable, undefined)
    assert.match(logged.at(-1) ?? '', /can be reached again/)
  })

  /** Commits now wait for a standby that does not come, until `release`. */
  const withoutStandby = async (test: TestContext): Promise<{ release(): Promise<void> }> => {
    const set = async (names: string): Promise<void> => {
      await server.run(`alter system set synchronous_standby_names = '${names}'`)
      await server.run('select pg_reload_conf()')
    }
    await set('nobody')
    test.after(async () => set(''))
    // The setting reaches the server's processes a moment later, the one that makes commits wait last of all.
    for (;;) {
      const probe = server.run("select pg_logical_emit_message(true, 'probe', '')")
      const held = await Promise.race([probe.then(() => false), setTimeout(100).then(() => true)])
      if (!held) continue
      let ended = false
      const end = probe.finally(() => (ended = true))
      // It may not wait yet: it is told to stop until it has.
      while (!ended) {
        await server.run(
          "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'",
        )
      }
      await end
      return { release: async () => set('') }
    }
  }

  it('says Unknown while the synchronous standby does not confirm', async (t) => {
    const { store, direct } = await open(t)
    const standby = await withoutStandby(t)
    await assert.rejects(store.commit(commitOf({ a: '1' }), deadlineIn(300)), Unknown)
    await standby.release()
    await put(direct, { b: '2' })
    assert.deepEqual(await texts(direct, ['a', 'b']), ['1', '2'])
  })

  it('acknowledges nothing that the standby has not confirmed, though somebody cancels the wait', async (t) => {
    const { store, direct } = await open(t)
    const standby = await withoutStandby(t)
    let over = false
    const commit = commitOf({ a: '1' }, ['a'])
    const end = store.commit(commit, soon()).finally(() => (over = true))
    for (let cancelled = 0; cancelled < 2 && !over;) {
      const rows = await server.run(
        "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'",
      )
      cancelled += rows.length
    }
    assert.equal(over, false)
    await standby.release()
    assert.equal((await end).kind, 'committed')
    assert.equal((await read(direct, bytes('a'))).version, commit.id)
  })

  it('closes while the database is away', async (t) => {
    const { store } = await open(t)
    proxy.open = false
    proxy.cutAll()
    const call = store.commit(commitOf({ a: '1' }), soon())
    const closing = store.close()
    await assert.rejects(call, Unavailable)
    await closing
  })

  /** Increments until told to stop; counts what was acknowledged and what stayed unknown. */
  const counting = async (store: Store, key: string, over: () => boolean) => {
    const result = { acknowledged: 0, unknown: 0, unavailable: 0 }
    while (!over()) {
      try {
        if (await tryIncrement(store, bytes(key))) result.acknowledged += 1
      } catch (error) {
        if (error instanceof Unknown) result.unknown += 1
        else if (error instanceof Unavailable) result.unavailable += 1
        else throw error
      }
    }
    return result
  }

  const countThrough = async (stores: readonly Store[], hurt: () => Promise<void>) => {
    let over = false
    const keys = upTo(5).map((index) => `c/${index}`)
    const running = upTo(15).map(async (index) => ({
      key: keys[index % keys.length]!,
      ...(await counting(stores[index % stores.length]!, keys[index % keys.length]!, () => over)),
    }))
    try {
      await hurt()
    } finally {
      over = true
    }
    const results = await Promise.all(running)
    for (const key of keys) {
      const own = results.filter((result) => result.key === key)
      const acknowledged = own.reduce((sum, result) => sum + result.acknowledged, 0)
      const unknown = own.reduce((sum, result) => sum + result.unknown, 0)
      const found = await numberAt(stores[0]!, bytes(key))
      assert.ok(acknowledged > 0)
      assert.ok(found >= acknowledged && found <= acknowledged + unknown, `${key}: ${found}`)
    }
    return results
  }

  it('counts exactly what it acknowledged while connections are cut at random', async (t) => {
    const { store, direct } = await open(t)
    const next = pseudoRandom(7, 100)
    let cuts = 0
    proxy.judge = () => {
      const number = next()
      if (number > 3) return 'pass'
      cuts += 1
      return number < 2 ? 'cut' : 'pass-then-cut'
    }
    const results = await countThrough([store, direct], async () => {
      while (cuts < 40) await setTimeout(20)
    })
    proxy.judge = () => 'pass'
    // Every loss could be settled long before the deadline.
    assert.deepEqual([...new Set(results.map(({ unknown }) => unknown))], [0])
  })

  for (const how of ['fast', 'crash'] as const) {
    it(`counts exactly what it acknowledged while the server is restarted (${how})`, async (t) => {
      const { store, direct } = await open(t)
      const results = await countThrough([store, direct], async () => {
        for (const pause of [150, 300, 100]) {
          await setTimeout(pause)
          await server.halt(how)
          await server.start()
        }
        await setTimeout(200)
      })
      assert.deepEqual([...new Set(results.map(({ unknown }) => unknown))], [0])
      assert.deepEqual([...new Set(results.map(({ unavailable }) => unavailable))], [0])
    })
  }
})
