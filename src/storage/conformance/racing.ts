import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Key, Store } from '../store.ts'
import type { OpenStore } from './kit.ts'
import {
  bytes,
  numberAt,
  opened,
  put,
  read,
  soon,
  texts,
  tryCommit,
  tryIncrement,
  upTo,
  writesOf,
} from './kit.ts'

/** Moves one from an account to another, if nobody else was faster. */
const tryTransfer = async (store: Store, from: Key, to: Key): Promise<void> => {
  const { items } = await store.read([from, to], soon())
  const [left, right] = items.map(({ value }) => Number(Buffer.from(value!).toString()))
  await tryCommit(store, {
    checks: [
      { key: from, version: items[0]!.version },
      { key: to, version: items[1]!.version },
    ],
    writes: [
      { key: from, value: bytes(String(left! - 1)) },
      { key: to, value: bytes(String(right! + 1)) },
    ],
  })
}

const counterTests = (open: OpenStore): void => {
  it('counts exactly what it acknowledged', async (t) => {
    const { store, second } = await opened(t, open)
    const keys = ['c/0', 'c/1', 'c/2'].map(bytes)
    const acknowledged = [0, 0, 0]
    const count = async (worker: number): Promise<void> => {
      for (const round of upTo(12)) {
        const at = (worker + round) % keys.length
        const done = await tryIncrement(worker % 2 === 0 ? store : second, keys[at]!)
        if (done) acknowledged[at]! += 1
      }
    }
    await Promise.all(upTo(12).map(count))
    assert.deepEqual(await Promise.all(keys.map((key) => numberAt(store, key))), acknowledged)
    assert.ok(acknowledged.every((number) => number > 0))
  })

  it('keeps a sum over several keys, in every snapshot', async (t) => {
    const { store, second } = await opened(t, open)
    const names = upTo(5).map((index) => `account/${index}`)
    await put(store, Object.fromEntries(names.map((name) => [name, '100'])))
    const move = async (worker: number): Promise<void> => {
      for (const round of upTo(10)) {
        const from = (worker + round) % 5
        const to = (from + 1 + ((worker * round) % 4)) % 5
        const client = worker % 2 === 0 ? store : second
        await tryTransfer(client, bytes(names[from]!), bytes(names[to]!))
        const sum = (await texts(client, names)).reduce((total, text) => total + Number(text), 0)
        assert.equal(sum, 500)
      }
    }
    await Promise.all(upTo(10).map(move))
  })

  it('lets one of many creators win', async (t) => {
    const { store, second } = await opened(t, open)
    const key = bytes('unique')
    const outcomes = await Promise.all(
      upTo(30).map(async (creator) =>
        tryCommit(creator % 2 === 0 ? store : second, {
          checks: [{ key, version: 0 }],
          writes: [
            { key, value: bytes(String(creator)) },
            { key: bytes(`trace/${creator}`), value: bytes('') },
          ],
        }),
      ),
    )
    const winners = outcomes.filter(({ outcome }) => outcome.kind === 'committed')
    assert.equal(winners.length, 1)
    assert.equal((await read(store, key)).version, winners[0]!.id)
    const traces = { from: bytes('trace/'), to: bytes('trace0'), limit: 100 }
    assert.equal((await store.list(traces, soon())).items.length, 1)
  })
}

const skewTests = (open: OpenStore): void => {
  it('refuses write skew between two who check and put one stamp (A1)', async (t) => {
    const { store, second } = await opened(t, open)
    const stamp = bytes('st/tree')
    for (const round of upTo(15)) {
      // Each reads that the other's edge is absent and would write its own: a cycle if both did.
      const edge = (name: string) => bytes(`edge/${round}/${name}`)
      const decide = async (client: Store, own: string, other: string) => {
        const { items } = await client.read([stamp, edge(other)], soon())
        assert.equal(items[1]!.value, undefined)
        return async () =>
          tryCommit(client, {
            checks: [{ key: stamp, version: items[0]!.version }],
            writes: [
              { key: stamp, value: new Uint8Array(0) },
              { key: edge(own), value: bytes('x') },
            ],
          })
      }
      const commits = [await decide(store, 'ab', 'ba'), await decide(second, 'ba', 'ab')]
      const outcomes = await Promise.all(commits.map(async (commit) => commit()))
      assert.deepEqual(outcomes.map(({ outcome }) => outcome.kind).toSorted(), [
        'committed',
        'conflict',
      ])
    }
  })

  it('refuses who checked a stamp that another has put since, though it writes elsewhere', async (t) => {
    const { store, second } = await opened(t, open)
    const stamp = bytes('st/tree')
    const { version } = await read(store, stamp)
    await put(second, { 'st/tree': '', 'edge/x': '1' })
    const { outcome } = await tryCommit(store, {
      checks: [{ key: stamp, version }],
      writes: writesOf({ 'edge/y': '1' }),
    })
    assert.equal(outcome.kind, 'conflict')
    assert.deepEqual(await texts(store, ['edge/y']), [undefined])
  })

  it('lets blind writes race, each whole', async (t) => {
    const { store, second } = await opened(t, open)
    const names = upTo(6).map((index) => `b/${index}`)
    const ids = await Promise.all(
      upTo(20).map(async (writer) =>
        put(
          writer % 2 === 0 ? store : second,
          Object.fromEntries(names.map((name) => [name, `${writer}`])),
        ),
      ),
    )
    const { items } = await store.read(names.map(bytes), soon())
    assert.equal(new Set(items.map(({ version }) => version)).size, 1)
    const winner = ids.indexOf(items[0]!.version)
    assert.ok(winner >= 0)
    assert.deepEqual(new Set(await texts(second, names)), new Set([String(winner)]))
  })
}

export const raceConformance = (open: OpenStore): void => {
  describe('racing', () => {
    counterTests(open)
    skewTests(open)
  })
}
