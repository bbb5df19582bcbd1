import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeadlineWatch } from './deadline-watch.ts'
import { deadlineIn } from './store.ts'

const late = () => new Error('late')
const never = new Promise<never>(() => {})

describe('DeadlineWatch', () => {
  it('gives the end of the promise when that comes first', async () => {
    const watch = new DeadlineWatch()
    assert.equal(await watch.within(Promise.resolve(1), deadlineIn(60_000), late), 1)
    await assert.rejects(
      watch.within(Promise.reject(new Error('own')), deadlineIn(60_000), late),
      /own/,
    )
  })

  it('ends what is still waited for once its deadline has passed, and nothing else', async () => {
    const watch = new DeadlineWatch()
    let end!: (value: string) => void
    const patient = watch.within(
      new Promise<string>((resolve) => (end = resolve)),
      deadlineIn(60_000),
      late,
    )
    const ends = await Promise.allSettled(
      [1, 2, 3].map(async () => watch.within(never, deadlineIn(1), late)),
    )
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    )
    end('done')
    assert.equal(await patient, 'done')
  })

  it('leaves no timer behind', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const watch = new DeadlineWatch()
    await watch.within(Promise.resolve(1), deadlineIn(60_000), late)
    await assert.rejects(watch.within(never, deadlineIn(0), late), /late/)
    const left = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    assert.equal(left, before)
  })
})
