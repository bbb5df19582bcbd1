import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OwnTurn } from './own-turn.ts'

const LONG_MS = 2 ** 30

const quiet = (): number => 1

test('what is long waits for the last of those under way, and not when there are none', async () => {
  const turn = new OwnTurn()
  const patience = { othersMs: LONG_MS, pauseMs: LONG_MS }
  await turn.afterOthers(patience, quiet)
  turn.begin()
  turn.begin()
  const order: string[] = []
  const waits = turn.afterOthers(patience, quiet).then(() => order.push('long work'))
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
  await turn.afterOthers({ othersMs: 1, pauseMs: LONG_MS }, quiet)
  turn.end()
})

test('it pauses while anybody commits, and no more once nobody does', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turn = new OwnTurn()
  let epoch = 1
  let over = false
  const patience = { othersMs: 1, pauseMs: 20 }
  const waits = turn.afterOthers(patience, () => epoch).then(() => (over = true))
  epoch = 2
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(over, false)
  t.mock.timers.tick(20)
  await waits
  // It has not been long since: a pause again.
  const again = turn.afterOthers(patience, () => epoch)
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(20)
  await again
  const later = performance.now() + 1_000
  t.mock.method(performance, 'now', () => later)
  await turn.afterOthers({ othersMs: 1, pauseMs: LONG_MS }, () => epoch)
})

test('where nothing tells of commits it does not pause', async () => {
  await new OwnTurn().afterOthers({ othersMs: 1, pauseMs: LONG_MS }, () => undefined)
})
