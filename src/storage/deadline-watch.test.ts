import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
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

  it('keeps no process alive once nothing is waited for', async () => {
    const module = new URL('deadline-watch.ts', import.meta.url)
    const script = `
      const { DeadlineWatch } = await import(${JSON.stringify(module)})
      const watch = new DeadlineWatch()
      await watch.within(Promise.resolve(), performance.now() + 60_000, () => new Error('late'))
      console.log('done')`
    // A timer left behind would hold the process until it is killed.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 30_000 },
    )
    assert.equal(stdout, 'done\n')
  })
})
