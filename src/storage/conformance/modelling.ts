import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Commit, Store, Version } from '../store.ts'
import { newVersion } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, hexes, opened, soon } from './kit.ts'

/** One commit in terms of the model: keys are letters; a check is right, says absent or says another version. */
interface Step {
  readonly checks: readonly { readonly key: string; readonly says: 'right' | 'absent' | 'other' }[]
  readonly writes: readonly { readonly key: string; readonly value: string | undefined }[]
  readonly client: boolean
}

type Model = Map<string, { readonly version: Version; readonly value: string }>

const letter = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const step: fc.Arbitrary<Step> = fc.record({
  checks: fc.array(
    fc.record({
      key: letter,
      says: fc.oneof(
        { weight: 6, arbitrary: fc.constant('right' as const) },
        { weight: 1, arbitrary: fc.constant('absent' as const) },
        { weight: 1, arbitrary: fc.constant('other' as const) },
      ),
    }),
    { maxLength: 4 },
  ),
  writes: fc.uniqueArray(
    fc.record({ key: letter, value: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }) }),
    { maxLength: 4, selector: ({ key }) => key },
  ),
  client: fc.boolean(),
})

const commitOf = (model: Model, { checks, writes }: Step): Commit => ({
  id: newVersion(),
  checks: checks.map(({ key, says }) => {
    const right = model.get(key)?.version ?? 0
    return {
      key: bytes(key),
      version: says === 'right' ? right : says === 'absent' ? 0 : newVersion(),
    }
  }),
  writes: writes.map(({ key, value }) => ({
    key: bytes(key),
    value: value === undefined ? undefined : bytes(value),
  })),
})

/** Does in the model what the store must do; gives the keys whose checks fail. */
const apply = (model: Model, commit: Commit): string[] => {
  const stale = commit.checks.filter(
    ({ key, version }) => (model.get(Buffer.from(key).toString())?.version ?? 0) !== version,
  )
  if (stale.length > 0) return hexes(stale.map(({ key }) => key))
  for (const { key, value } of commit.writes) {
    const name = Buffer.from(key).toString()
    if (value === undefined) model.delete(name)
    else model.set(name, { version: commit.id, value: Buffer.from(value).toString() })
  }
  return []
}

const contents = async (store: Store) => {
  const { items } = await store.list({ from: bytes('a'), to: bytes('z'), limit: 256 }, soon())
  return items.map(({ key, version, value }) => [
    Buffer.from(key).toString(),
    { version, value: Buffer.from(value!).toString() },
  ])
}

export const modelConformance = (open: OpenStore): void => {
  describe('any sequence of commits', () => {
    it('does what a map with versions does', async (t) => {
      const { store, second } = await opened(t, open)
      const model: Model = new Map()
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          for (const one of steps) {
            const commit = commitOf(model, one)
            const stale = apply(model, commit)
            const outcome = await (one.client ? store : second).commit(commit, soon())
            assert.equal(outcome.kind, stale.length > 0 ? 'conflict' : 'committed')
            if (outcome.kind === 'conflict') {
              assert.deepEqual(hexes(outcome.stale).toSorted(), stale.toSorted())
            }
          }
          assert.deepEqual(
            await contents(store),
            [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
          )
        }),
        { numRuns: 30, endOnFailure: true },
      )
    })
  })
}
