import assert from 'node:assert/strict'
import { it } from 'node:test'
import { LocalRates } from '../core/rate-counter.ts'
import type { Asked } from './remote-rates.ts'
import { RemoteRates } from './remote-rates.ts'

it('several workers share one count, and what one asks in a turn is one message', async () => {
  const shared = new LocalRates(() => 0)
  const messages: (readonly Asked[])[] = []
  const workerOf = (): RemoteRates =>
    new RemoteRates(async (asked) => {
      messages.push(asked)
      return asked.map(({ key, window }) => shared.take(key, window))
    })
  const workers = [workerOf(), workerOf()]
  const window = { most: 5, intervalMs: 1_000, blockMs: 0 }
  const taken = await Promise.all(
    workers.flatMap((worker) => Array.from({ length: 4 }, () => worker.take('a', window))),
  )
  assert.equal(taken.filter(({ allowed }) => allowed).length, 5)
  assert.deepEqual(
    messages.map(({ length }) => length),
    [4, 4],
  )
})
