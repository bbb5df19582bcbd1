import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineQueue, QueueFull } from './line-queue.ts'

const LIMITS = { batchUnits: 100, waitingUnits: 1000 }

/** A queue whose writes end when told. */
const heldQueue = (limits = LIMITS) => {
  const writes: { readonly text: string; readonly end: PromiseWithResolvers<void> }[] = []
  const queue = new LineQueue((text) => {
    const end = Promise.withResolvers<void>()
    writes.push({ text, end })
    return end.promise
  }, limits)
  return { queue, writes }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('lines of one turn, and those that come while a write is under way, share writes', async () => {
  const { queue, writes } = heldQueue()
  const first = [queue.push('a\n'), queue.push('b\n')]
  await turn()
  const second = [queue.push('c\n'), queue.push('d\n'), queue.push('e\n')]
  await turn()
  assert.deepEqual(
    writes.map(({ text }) => text),
    ['a\nb\n'],
  )
  writes[0]!.end.resolve()
  await Promise.all(first)
  await turn()
  assert.equal(writes[1]!.text, 'c\nd\ne\n')
  writes[1]!.end.resolve()
  await Promise.all(second)
})

test('the lines of a failed write all fail, later ones do not', async () => {
  const { queue, writes } = heldQueue()
  const failed = [queue.push('a'), queue.push('b')]
  await turn()
  const later = queue.push('c')
  writes[0]!.end.reject(new Error('full'))
  const settled = await Promise.allSettled(failed)
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await turn()
  writes[1]!.end.resolve()
  await later
})

test('a batch is bounded, and a line larger than the bound goes alone', async () => {
  const { queue, writes } = heldQueue()
  const lines = [
    queue.push('x'.repeat(60)),
    queue.push('y'.repeat(60)),
    queue.push('z'.repeat(500)),
  ]
  for (let at = 0; at < 3; at++) {
    await turn()
    writes[at]!.end.resolve()
  }
  await Promise.all(lines)
  assert.deepEqual(
    writes.map(({ text }) => text.length),
    [60, 60, 500],
  )
})

test('what waits is bounded, whatever is written now', async () => {
  const { queue, writes } = heldQueue()
  const taken = queue.push('x'.repeat(5000))
  await assert.rejects(queue.push('y'), QueueFull)
  await turn()
  writes[0]!.end.resolve()
  await taken
  await turn()
  const next = queue.push('y')
  await turn()
  writes[1]!.end.resolve()
  await next
})

test('a task runs after the lines before it and before those after it; its failure is its own', async () => {
  const order: string[] = []
  const queue = new LineQueue(async (text) => {
    order.push(text)
  }, LIMITS)
  const before = queue.push('a')
  const task = queue.between(async () => {
    order.push('task')
    throw new Error('no')
  })
  const after = queue.push('b')
  await assert.rejects(task, /no/)
  await Promise.all([before, after])
  assert.deepEqual(order, ['a', 'task', 'b'])
})
