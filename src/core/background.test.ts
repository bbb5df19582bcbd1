import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import type { Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { TokenRecord } from '../engine/ports/tokens.ts'
import type { Names } from '../engine/records.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Key, Store } from '../storage/store.ts'
import { Background } from './background.ts'
import { work } from './mounts.ts'
import { ConflictQueues, createRecords } from './records.ts'
import { drawToken, issueToken, tokenAccessors, tokenExpiries, tokenRef, tokens } from './tokens.ts'
import { storeWith } from '../storage/faults/store-with.ts'

const ROOT: Namespace = { id: 'root', number: 0, path: '' }

const hash: Names['hash'] = (_kind, text) =>
  Uint8Array.from(Buffer.from(text.padEnd(16).slice(-16)))

const names: Names = { hash, hashNew: hash }

/** A store in which the value of a key is damaged: it cannot be read, and stands in no page but one of keys. */
const damaged = (store: Store, keys: readonly Key[]): Store => {
  const guard = (key: Key): void => {
    if (keys.some((one) => Buffer.compare(one, key) === 0)) {
      throw new BarrierBroken(key, 'does not open')
    }
  }
  return storeWith(store, {
    read: (asked, deadline) => {
      for (const key of asked) guard(key)
      return store.read(asked, deadline)
    },
    list: async (range, deadline) => {
      const page = await store.list(range, deadline)
      if (range.keysOnly !== true) for (const { key } of page.items) guard(key)
      return page
    },
  })
}

const RECORD: Omit<
  TokenRecord,
  'accessor' | 'lineage' | 'createdAt' | 'expiresAt' | 'renewedAt' | 'state'
> = {
  policies: ['default'],
  path: 'auth/token/create',
  meta: null,
  displayName: 'token',
  creationTtl: 1,
  role: '',
  entityId: '',
  boundCidrs: [],
  mountUuid: randomUUID(),
  numUses: 0,
  explicitMaxTtl: 0,
  period: 0,
  renewable: true,
  leased: true,
}

/** Tokens that live for a second, made at 0. */
const makeTokens = async (store: Store, count: number): Promise<readonly Key[]> => {
  const records = createRecords({ store, queues: new ConflictQueues() })
  const made: Key[] = []
  for (let at = 0; at < count; at++) {
    await records.transact(async (tx) => {
      const scope = { namespace: ROOT, names, now: 0 }
      const { key } = issueToken(tx, scope, { ...drawToken(), parent: undefined, record: RECORD })
      made[at] = tokenRef(ROOT, key).key
    })
  }
  return made
}

/** The background of a process, at 10 s; how often engines had their turn, and what failed. */
const makeBackground = (store: Store) => {
  const seen = { rounds: 0, faults: [] as string[], commits: 0 }
  const counted = storeWith(store, {
    commit: (commit, deadline) => {
      seen.commits++
      return store.commit(commit, deadline)
    },
  })
  const engine: Engine = {
    type: 'kv',
    class: 'secret',
    summary: 'an engine',
    routes: [],
    background: async () => void seen.rounds++,
  }
  const background = new Background({
    records: createRecords({ store: counted, queues: new ConflictQueues() }),
    names,
    root: ROOT,
    cubbyhole: { drop: async () => {} } as never,
    prepare: async () => {},
    dropMount: async () => {},
    engines: async () => [{ engine, mount: { path: 'kv/' } as never }],
    now: async () => 10_000,
    onFault: (error, what) => seen.faults.push(`${what}: ${String(error)}`),
  })
  return { background, seen }
}

const countOf = async (store: Store, prefix: string): Promise<number> => {
  const from = Buffer.from(`${prefix}/`)
  const range = { from, to: Buffer.from(`${prefix}0`), limit: 256, keysOnly: true }
  return (await store.list(range, performance.now() + 1_000)).items.length
}

describe('the background work', () => {
  it('ends expired tokens and cleans up behind them, many a commit', async () => {
    const store = createMemoryStore()
    await makeTokens(store, 200)
    const { background, seen } = makeBackground(store)
    await background.round()
    for (const { prefix } of [tokens, tokenAccessors, tokenExpiries, work]) {
      assert.equal(await countOf(store, prefix), 0, prefix)
    }
    assert.deepEqual(seen.faults, [])
    assert.ok(seen.commits < 80, `${seen.commits} commits for 200 tokens`)
    await background.stop()
  })

  it('leaves a damaged token where it is, and does all the rest', async () => {
    const store = createMemoryStore()
    const made = await makeTokens(store, 60)
    const { background, seen } = makeBackground(damaged(store, [made[17]!]))
    await background.round()
    await background.round()
    assert.equal(await countOf(store, tokens.prefix), 1)
    assert.equal(await countOf(store, work.prefix), 0)
    assert.deepEqual(seen.faults, [])
    assert.equal(seen.rounds, 2)
    await background.stop()
  })

  it('needs no values of the index of expiry, nor of the list of work', async () => {
    const store = createMemoryStore()
    await makeTokens(store, 5)
    const prefixes = [tokenExpiries.prefix, work.prefix]
    const { background, seen } = makeBackground(
      storeWith(store, {
        list: async (range, deadline) => {
          const page = await store.list(range, deadline)
          const [first] = page.items
          const kind = first && Buffer.from(first.key).toString('latin1').split('/')[0]!
          if (range.keysOnly !== true && prefixes.includes(kind!)) {
            throw new BarrierBroken(first!.key, 'does not open')
          }
          return page
        },
      }),
    )
    await background.round()
    assert.equal(await countOf(store, tokens.prefix), 0)
    assert.deepEqual(seen.faults, [])
    await background.stop()
  })

  it('gives engines their turn where the store fails in another part', async () => {
    const store = createMemoryStore()
    const { background, seen } = makeBackground(
      storeWith(store, {
        list: () => Promise.reject(new Error('no list today')),
      }),
    )
    await background.round()
    assert.equal(seen.rounds, 1)
    assert.equal(seen.faults.length, 3)
    await background.stop()
  })
})
