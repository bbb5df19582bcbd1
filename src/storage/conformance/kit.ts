import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Commit, Deadline, Key, Outcome, Store, Stored, Version } from '../store.ts'
import { deadlineIn, newVersion } from '../store.ts'

/** An empty store and another client of the same data, which may be the store itself. */
export interface Opened {
  readonly store: Store
  readonly second: Store
}

export type OpenStore = (test: TestContext) => Promise<Opened>

/** Long enough for a busy machine: nothing in the suite waits for it. */
export const soon = (): Deadline => deadlineIn(30_000)

/** Lets others run: a store may answer without ever leaving the microtasks. */
export const turn = async (): Promise<void> => {
  await setImmediate()
}

/** A key or value of text. */
export const bytes = (text: string): Uint8Array => Buffer.from(text)

/** An empty store for one test, closed at its end. */
export const opened = async (test: TestContext, open: OpenStore): Promise<Opened> => {
  const { store, second } = await open(test)
  test.after(async () => {
    await store.close()
    await second.close()
  })
  return { store, second }
}

/** Writes of text under keys of text; undefined deletes. */
export const writesOf = (entries: Readonly<Record<string, string | undefined>>) =>
  Object.entries(entries).map(([key, value]) => ({
    key: bytes(key),
    value: value === undefined ? undefined : bytes(value),
  }))

/** Commits with a fresh id; gives the id and the outcome. */
export const tryCommit = async (
  store: Store,
  commit: Omit<Commit, 'id'>,
): Promise<{ readonly id: Version; readonly outcome: Outcome }> => {
  const id = newVersion()
  return { id, outcome: await store.commit({ id, ...commit }, soon()) }
}

/** Puts texts without checks; gives their version. */
export const put = async (
  store: Store,
  entries: Readonly<Record<string, string | undefined>>,
): Promise<Version> => {
  const { id, outcome } = await tryCommit(store, { checks: [], writes: writesOf(entries) })
  assert.equal(outcome.kind, 'committed')
  return id
}

/** What stands under one key. */
export const read = async (store: Store, key: Key): Promise<Stored> =>
  (await store.read([key], soon())).items[0]!

/** The texts under keys of text; undefined for absent ones. */
export const texts = async (
  store: Store,
  keys: readonly string[],
): Promise<(string | undefined)[]> =>
  (await store.read(keys.map(bytes), soon())).items.map(({ value }) =>
    value === undefined ? undefined : Buffer.from(value).toString(),
  )

/** A number kept as text under a key, one higher, if nobody else was faster: the outcome of the one attempt. */
export const tryIncrement = async (store: Store, key: Key): Promise<boolean> => {
  const { version, value } = await read(store, key)
  const next = Number(value === undefined ? 0 : Buffer.from(value).toString()) + 1
  const { outcome } = await tryCommit(store, {
    checks: [{ key, version }],
    writes: [{ key, value: bytes(String(next)) }],
  })
  return outcome.kind === 'committed'
}

/** The number under a key, 0 when absent. */
export const numberAt = async (store: Store, key: Key): Promise<number> => {
  const { value } = await read(store, key)
  return value === undefined ? 0 : Number(Buffer.from(value).toString())
}

/** Whole numbers from 0. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The hex of keys, for comparison with readable failures. */
export const hexes = (keys: readonly Uint8Array[]): string[] =>
  keys.map((key) => Buffer.from(key).toString('hex'))
