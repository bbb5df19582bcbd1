import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import { withBarrier } from '../barrier/barrier-store.ts'
import { bytes, put, read, soon, texts, tryCommit, upTo } from '../storage/conformance/kit.ts'
import { withFaults } from '../storage/faults/fault-store.ts'
import { openLmdbStore } from '../storage/lmdb/lmdb-store.ts'
import { scratchFolder } from '../storage/lmdb/scratch-folder.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { Unavailable } from '../storage/store.ts'
import {
  combineUnsealKeys,
  drawShares,
  initialiseSeal,
  installShares,
  readSealConfig,
  reloadKeyring,
  rotateKeyring,
  rotateRootKey,
  unseal,
  unsealKeyBytes,
} from './seal.ts'
import type { Initialised, SealConfig, Unsealed } from './seal.ts'

const STAMP = bytes('st/keyring')

const initialise = async (store: Store, shares = 5, threshold = 3): Promise<Initialised> => {
  const result = await initialiseSeal(store, { shares, threshold, now: 1_000 }, soon())
  assert.equal(result.kind, 'initialised')
  return result as Initialised
}

/** What an attempt with these keys gives. */
const tryUnseal = async (
  store: Store,
  config: SealConfig,
  keys: readonly Uint8Array[],
): Promise<Unsealed | 'wrong key'> => unseal(store, combineUnsealKeys(config, keys), soon())

/** New unseal keys in the place of the old ones. */
const rewriteShares = async (
  store: Store,
  keys: Unsealed,
  options: { readonly shares: number; readonly threshold: number },
): Promise<Pick<Initialised, 'config' | 'unsealKeys'> | 'conflict'> => {
  const drawn = drawShares(options)
  const outcome = await installShares(store, keys, drawn, [STAMP], soon())
  return outcome === 'conflict' ? 'conflict' : drawn
}

const unsealed = async (store: Store, made: Pick<Initialised, 'config' | 'unsealKeys'>) => {
  const result = await tryUnseal(store, made.config, made.unsealKeys.slice(0, made.config.t))
  assert.ok(result !== 'wrong key')
  return result
}

/** Whether two processes hold the same keys. */
const assertSame = (one: Unsealed, other: Unsealed): void => {
  assert.ok(one.rootKey.equals(other.rootKey))
  assert.deepEqual(one.keyring.serialise(), other.keyring.serialise())
}

const openTwoClients = (test: TestContext): readonly [Store, Store] => {
  const path = scratchFolder(test)
  const stores = [openLmdbStore({ path }), openLmdbStore({ path })] as const
  test.after(async () => Promise.all(stores.map(async (store) => store.close())))
  return stores
}

describe('initialisation', () => {
  it('gives out shares of which any threshold unseals', async () => {
    const store = createMemoryStore()
    assert.equal(await readSealConfig(store, soon()), undefined)
    const made = await initialise(store, 5, 3)
    assert.equal(made.unsealKeys.length, 5)
    assert.ok(made.unsealKeys.every((key) => key.length === unsealKeyBytes(made.config)))
    assert.equal(unsealKeyBytes(made.config), 33)
    assert.deepEqual(await readSealConfig(store, soon()), made.config)
    assert.equal(made.unsealed.keyring.active.installedAt, 1_000)
    const [a, b, c, d, e] = made.unsealKeys
    for (const keys of [
      [a, b, c],
      [e, a, d],
      [d, c, e],
      [a, b, c, d, e],
    ]) {
      const result = await tryUnseal(store, made.config, keys as Buffer[])
      assert.ok(result !== 'wrong key')
      assertSame(result, made.unsealed)
    }
  })

  it('gives one share that is the key itself', async () => {
    const store = createMemoryStore()
    const made = await initialise(store, 1, 1)
    assert.deepEqual(
      made.unsealKeys.map((key) => key.length),
      [32],
    )
    assert.equal(unsealKeyBytes(made.config), 32)
    assertSame(await unsealed(store, made), made.unsealed)
    const { unsealKeys, config } = made
    assert.throws(() => combineUnsealKeys(config, [unsealKeys[0]!, unsealKeys[0]!]), RangeError)
    assert.throws(() => combineUnsealKeys(config, []), RangeError)
  })

  it('refuses impossible numbers of shares and writes nothing', async () => {
    const store = createMemoryStore()
    for (const [shares, threshold] of [
      [0, 0],
      [1, 2],
      [3, 1],
      [3, 0],
      [256, 3],
      [2.5, 2],
    ] as const) {
      const options = { shares, threshold, now: 0 }
      await assert.rejects(initialiseSeal(store, options, soon()), RangeError)
    }
    assert.equal(await readSealConfig(store, soon()), undefined)
    await assert.rejects(unseal(store, randomBytes(32), soon()), /not initialised/)
  })

  it('keeps no key in the clear', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const range = { from: bytes('a'), to: bytes('z'), limit: 9 }
    const { items } = await store.list(range, soon())
    assert.equal(items.length, 4)
    const secrets = [
      made.unsealed.rootKey.export(),
      made.unsealed.keyring.active.key.export(),
      combineUnsealKeys(made.config, made.unsealKeys),
      ...made.unsealKeys,
    ]
    for (const { value } of items) {
      const stored = Buffer.from(value!)
      for (const secret of secrets) {
        for (const form of [secret, secret.toString('base64'), secret.toString('hex')]) {
          assert.equal(stored.indexOf(form), -1)
        }
      }
    }
  })

  it('has one winner among many nodes; the others learn of its configuration', async (t) => {
    for (const clients of [openTwoClients(t), [createMemoryStore()]]) {
      const results = await Promise.all(
        upTo(8).map(async (node) => {
          const store = clients[node % clients.length]!
          const options = { shares: 3 + node, threshold: 2, now: node }
          return initialiseSeal(store, options, soon())
        }),
      )
      const winners = results.filter((result) => result.kind === 'initialised')
      assert.equal(winners.length, 1)
      for (const result of results) assert.deepEqual(result.config, winners[0]!.config)
      assertSame(await unsealed(clients[0]!, winners[0]!), winners[0]!.unsealed)
    }
  })

  it('leaves nothing when the store fails', async () => {
    const bare = createMemoryStore()
    const store = withFaults(bare, ({ operation }) =>
      operation === 'commit' ? { fails: 'unavailable' } : undefined,
    )
    const options = { shares: 3, threshold: 2, now: 0 }
    await assert.rejects(initialiseSeal(store, options, soon()), Unavailable)
    assert.equal(await readSealConfig(bare, soon()), undefined)
    await initialise(bare)
  })
})

describe('unsealing', () => {
  it('refuses wrong, foreign, too few and damaged keys', async () => {
    const store = createMemoryStore()
    const { config, unsealKeys } = await initialise(store)
    const foreign = await initialise(createMemoryStore())
    const [a, b, c] = unsealKeys as [Buffer, Buffer, Buffer]
    const flipped = Buffer.from(c)
    flipped[7]! ^= 1
    for (const keys of [
      [a, b],
      [a],
      [a, b, flipped],
      [a, b, foreign.unsealKeys[0]!],
      foreign.unsealKeys.slice(0, 3),
      upTo(3).map((x) => Buffer.concat([randomBytes(32), Buffer.of(x + 1)])),
    ]) {
      const result = await tryUnseal(store, config, keys).catch((error: unknown) => {
        // Foreign shares may stand at the same place.
        assert.ok(error instanceof RangeError)
        return 'wrong key'
      })
      assert.equal(result, 'wrong key')
    }
    for (const length of [0, 31, 33]) {
      assert.equal(await unseal(store, randomBytes(length), soon()), 'wrong key')
    }
    assert.throws(() => combineUnsealKeys(config, [a, b, a]), RangeError)
    assert.ok((await tryUnseal(store, config, [a, b, c])) !== 'wrong key')
  })

  it('tells damage from a wrong key', async () => {
    for (const [key, how] of [
      ['meta/keyring', 'changed'],
      ['meta/keyring', 'missing'],
      ['meta/root', 'missing'],
    ] as const) {
      const store = createMemoryStore()
      const made = await initialise(store)
      const value = Buffer.from((await read(store, bytes(key))).value!)
      value[20]! ^= 1
      const write = { key: bytes(key), value: how === 'changed' ? value : undefined }
      await tryCommit(store, { checks: [], writes: [write] })
      await assert.rejects(unsealed(store, made), BarrierBroken)
    }
  })

  it('does not take one record of the seal for the other', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const { value } = await read(store, bytes('meta/keyring'))
    await tryCommit(store, { checks: [], writes: [{ key: bytes('meta/root'), value }] })
    const combined = combineUnsealKeys(made.config, made.unsealKeys)
    assert.equal(await unseal(store, combined, soon()), 'wrong key')
    assert.equal(await unseal(store, made.unsealed.rootKey.export(), soon()), 'wrong key')
  })
})

describe('new shares', () => {
  it('replace the old ones for the same keys', async () => {
    const store = createMemoryStore()
    const made = await initialise(store, 5, 3)
    const again = await rewriteShares(store, made.unsealed, { shares: 3, threshold: 2 })
    assert.ok(again !== 'conflict')
    assert.notEqual(again.config.nonce, made.config.nonce)
    assert.deepEqual(await readSealConfig(store, soon()), again.config)
    assertSame(await unsealed(store, again), made.unsealed)
    assert.equal(await tryUnseal(store, made.config, made.unsealKeys.slice(0, 3)), 'wrong key')
    const mixed = [made.unsealKeys[0]!, again.unsealKeys[0]!]
    if (mixed[0]![32] !== mixed[1]![32]) {
      assert.equal(await tryUnseal(store, again.config, mixed), 'wrong key')
    }
  })

  it('go to one of two who ask at the same time', async () => {
    const bare = createMemoryStore()
    const made = await initialise(bare)
    let waiting = 0
    let open!: () => void
    const gate = new Promise<void>((resolve) => (open = resolve))
    // Both have read before either commits.
    const store = withFaults(bare, ({ operation }) => {
      if (operation !== 'commit') return undefined
      if (++waiting === 2) open()
      return { before: async () => gate }
    })
    const results = await Promise.all(
      upTo(2).map(async () => rewriteShares(store, made.unsealed, { shares: 3, threshold: 2 })),
    )
    const winners = results.filter((result) => result !== 'conflict')
    assert.equal(winners.length, 1)
    assertSame(await unsealed(bare, winners[0]!), made.unsealed)
  })

  it('refuses impossible numbers and changes nothing', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    await assert.rejects(
      rewriteShares(store, made.unsealed, { shares: 3, threshold: 1 }),
      RangeError,
    )
    assertSame(await unsealed(store, made), made.unsealed)
  })
})

describe('rotating the root key', () => {
  it('keeps keyring and unseal keys, and makes the old root key useless', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const old = { ...made.unsealed }
    await rotateRootKey(store, made.unsealed, { stamps: [STAMP] }, soon())
    assert.ok(!made.unsealed.rootKey.equals(old.rootKey))
    assertSame(await unsealed(store, made), made.unsealed)
    const thief = { ...old, sealKey: createSecretKey(randomBytes(32)) }
    await assert.rejects(reloadKeyring(store, thief, soon()), BarrierBroken)
  })

  it('is followed by other processes, and so are new unseal keys', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const other = await unsealed(store, made)
    await rotateRootKey(store, made.unsealed, { stamps: [STAMP] }, soon())
    await reloadKeyring(store, other, soon())
    assertSame(other, made.unsealed)
    const again = await rewriteShares(store, made.unsealed, { shares: 3, threshold: 2 })
    assert.ok(again !== 'conflict')
    await reloadKeyring(store, other, soon())
    assert.ok(other.sealKey.equals(made.unsealed.sealKey))
    // The other one may rotate in turn: it knows what the new unseal keys give.
    await rotateRootKey(store, other, { stamps: [STAMP] }, soon())
    assertSame(await unsealed(store, again), other)
  })

  it('happens while others rotate the keyring, and loses nothing', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const nodes = await Promise.all(upTo(4).map(async () => unsealed(store, made)))
    await Promise.all(
      nodes.map(async (node, index) =>
        index % 2 === 0
          ? rotateRootKey(store, node, { stamps: [STAMP] }, soon())
          : rotateKeyring(store, node, { now: index, stamps: [STAMP] }, soon()),
      ),
    )
    const stored = await unsealed(store, made)
    assert.equal(stored.keyring.active.term, 3)
    for (const node of nodes) {
      await reloadKeyring(store, node, soon())
      assertSame(node, stored)
    }
  })
})

describe('rotating the keyring', () => {
  it('adds a term in the store and here, and moves the stamps', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const before = await read(store, STAMP)
    const options = { now: 2_000, stamps: [STAMP] }
    assert.equal(await rotateKeyring(store, made.unsealed, options, soon()), 2)
    assert.equal(made.unsealed.keyring.active.installedAt, 2_000)
    assert.notEqual((await read(store, STAMP)).version, before.version)
    assertSame(await unsealed(store, made), made.unsealed)
  })

  it('gives a term of its own to each of many nodes that rotate at once', async (t) => {
    const clients = openTwoClients(t)
    const made = await initialise(clients[0])
    const nodes = await Promise.all(upTo(6).map(async () => unsealed(clients[0], made)))
    const terms = await Promise.all(
      nodes.map(async (node, index) =>
        rotateKeyring(clients[index % 2]!, node, { now: index, stamps: [STAMP] }, soon()),
      ),
    )
    assert.deepEqual(
      terms.toSorted((a, b) => a - b),
      [2, 3, 4, 5, 6, 7],
    )
    const stored = await unsealed(clients[0], made)
    assert.equal(stored.keyring.active.term, 7)
    for (const node of nodes) {
      await reloadKeyring(clients[1], node, soon())
      assertSame(node, stored)
    }
  })

  it('lets a node that met an unknown term read on, old values and new', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const other = await unsealed(store, made)
    const one = withBarrier(store, made.unsealed.keyring)
    const two = withBarrier(store, other.keyring, {
      reloadKeyring: async () => reloadKeyring(store, other, soon()),
    })
    await put(one, { old: '1' })
    await rotateKeyring(store, made.unsealed, { now: 1, stamps: [STAMP] }, soon())
    await put(one, { new: '2' })
    assert.deepEqual(await texts(two, ['old', 'new']), ['1', '2'])
    await put(two, { mine: '3' })
    assert.deepEqual(await texts(one, ['mine']), ['3'])
    assert.equal(other.keyring.active.term, 2)
  })

  it('refuses the commit of who checked the stamp before', async () => {
    const store = createMemoryStore()
    const made = await initialise(store)
    const { version } = await read(store, STAMP)
    await rotateKeyring(store, made.unsealed, { now: 1, stamps: [STAMP] }, soon())
    const late = {
      checks: [{ key: STAMP, version }],
      writes: [{ key: bytes('a'), value: bytes('x') }],
    }
    assert.equal((await tryCommit(store, late)).outcome.kind, 'conflict')
  })

  it('ends by its deadline when others are always faster', async () => {
    const bare = createMemoryStore()
    const made = await initialise(bare)
    let conflicts = 0
    const store = withFaults(bare, ({ operation, number }) => {
      if (operation === 'commit') conflicts++
      return operation === 'commit'
        ? { fails: 'conflict' }
        : number > 50
          ? { fails: 'unavailable' }
          : undefined
    })
    const options = { now: 1, stamps: [STAMP] }
    await assert.rejects(rotateKeyring(store, made.unsealed, options, soon()), Unavailable)
    assert.ok(conflicts > 10)
    assert.equal(made.unsealed.keyring.active.term, 1)
  })
})
