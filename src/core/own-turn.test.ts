import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OwnTurn } from './own-turn.ts'

const LONG_MS = 2 ** 30

test('what is long waits for the last of those under way, and not when there are none', async () => {
  const turn = new OwnTurn()
  await turn.afterOthers(LONG_MS, () => undefined)
  turn.begin()
  turn.begin()
  const order: string[] = []
  const waits = turn.afterOthers(LONG_MS, () => undefined).then(() => order.push('long work'))
  for (const name of ['first', 'second']) {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(name)
    turn.end()
  }
  await waits
  assert.deepEqual(order, ['first', 'second', 'long work'])
})

test('it goes on after a while although others never end', async () => {
  const turn = new OwnTurn()
  turn.begin()
  await turn.afterOthers(1, () => undefined)
  turn.end()
})
