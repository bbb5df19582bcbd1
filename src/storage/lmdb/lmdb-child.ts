import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { bytes, put, read, tryCommit, tryIncrement, upTo } from '../conformance/kit.ts'
import type { Store } from '../store.ts'
import { LMDB_FILE, openLmdbStore } from './lmdb-store.ts'

/*
 * A second process for the tests of the LMDB store: `node lmdb-child.ts <task> <folder>`. It prints what it does as lines,
 * with writes that are done when they return, so that what was printed before a kill can be read.
 */

const print = (line: string): void => {
  writeSync(1, `${line}\n`)
}

/** Increments the counters in turn by eight committers at once; gives how often each was acknowledged. */
export const countTo = async (
  store: Store,
  keys: readonly string[],
  rounds: number,
): Promise<number[]> => {
  const acknowledged = keys.map(() => 0)
  const count = async (worker: number): Promise<void> => {
    for (const round of upTo(rounds)) {
      const at = (worker + round) % keys.length
      if (await tryIncrement(store, bytes(keys[at]!))) acknowledged[at]! += 1
    }
  }
  await Promise.all(upTo(8).map(count))
  return acknowledged
}

/** The counter and the entries of one committer of `storm`. */
export const stormKeys = (worker: string) => ({
  counter: `storm/count/${worker}`,
  entries: `storm/entry/${worker}/`,
})

/**
 * Commits without end: each commit adds an entry and counts it. `acknowledge` hears of each that was acknowledged and says
 * whether to go on.
 */
export const storm = async (
  store: Store,
  worker: string,
  acknowledge: (entry: string) => boolean,
): Promise<void> => {
  const { counter, entries } = stormKeys(worker)
  const key = bytes(counter)
  for (;;) {
    const { version, value } = await read(store, key)
    const count = value === undefined ? 0 : Number(Buffer.from(value).toString())
    const entry = `${entries}${count}`
    const { outcome } = await tryCommit(store, {
      checks: [
        { key, version },
        { key: bytes(entry), version: 0 },
      ],
      writes: [
        { key, value: bytes(String(count + 1)) },
        { key: bytes(entry), value: bytes(entry.repeat(20)) },
      ],
    })
    if (outcome.kind === 'conflict') throw new Error(`${entry} conflicts with nobody`)
    if (!acknowledge(entry)) return
  }
}

/** Fills the store until it refuses, and says how it went on: for a disk that is full. */
const fill = async (store: Store): Promise<void> => {
  const tell = async (name: string, run: Promise<unknown>): Promise<boolean> =>
    run.then(
      () => {
        print(`${name}: done`)
        return true
      },
      (error: unknown) => {
        print(`${name}: ${error instanceof Error ? error.name : 'no error'}`)
        return false
      },
    )
  const page = 'x'.repeat(50_000)
  let count = 0
  while (await tell(`put ${count}`, put(store, { [`fill/${count}`]: page }))) count++
  await Promise.all(
    upTo(3).map(async (index) => tell(`more ${index}`, put(store, { [`more/${index}`]: page }))),
  )
  for (const index of upTo(count)) {
    const { value } = await read(store, bytes(`fill/${index}`))
    if (value?.length !== page.length) print(`lost fill/${index}`)
  }
  print(`kept ${count}`)
  for (const index of upTo(8))
    await tell(`drop ${index}`, put(store, { [`fill/${index}`]: undefined }))
  await tell('after', put(store, { after: page }))
  await store.close()
}

interface Order {
  readonly do: 'put' | 'count' | 'read'
  readonly key?: string
  readonly value?: string
  readonly keys?: readonly string[]
  readonly rounds?: number
}

/** Does what the parent sends, one order at a time. */
const serve = (store: Store): void => {
  const perform = async (order: Order): Promise<unknown> => {
    if (order.do === 'put') return put(store, { [order.key!]: order.value! })
    if (order.do === 'count') return countTo(store, order.keys!, order.rounds!)
    return (await read(store, bytes(order.key!))).version
  }
  process.on('message', (order: Order) => {
    void perform(order).then((answer) => process.send!({ answer }))
  })
  process.send!({ answer: 'ready' })
}

/** Holds the write lock, which all processes share, until it is killed. */
const lock = (folder: string): void => {
  const root = open({ path: join(folder, LMDB_FILE), overlappingSync: false })
  root.transactionSync(() => {
    process.send!({ answer: 'locked' })
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })
}

if (import.meta.main) {
  const [task, folder, name] = process.argv.slice(2)
  const store = openLmdbStore({ path: folder!, anyFileSystem: true })
  if (task === 'serve') serve(store)
  else if (task === 'lock') lock(folder!)
  else if (task === 'fill') await fill(store)
  else {
    await Promise.all(
      upTo(4).map(async (worker) =>
        storm(store, `${name}-${worker}`, (entry) => {
          print(entry)
          return true
        }),
      ),
    )
  }
}
