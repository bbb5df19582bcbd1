import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SpareProcess } from './spare.ts'
import { Spare } from './spare.ts'

class FakeProcess implements SpareProcess {
  readonly pid: number
  readonly gone: Promise<string>
  readonly #end: (how: string) => void
  spokeAt: number | undefined = performance.now()
  isGone = false

  constructor(pid: number) {
    this.pid = pid
    const { promise, resolve } = Promise.withResolvers<string>()
    this.gone = promise
    this.#end = resolve
  }

  kill(): void {
    this.isGone = true
    this.#end('SIGKILL')
  }
}

const prepare = () => {
  const forked: FakeProcess[] = []
  const lines: string[] = []
  const state = { wanted: true }
  const fork = Promise.withResolvers<void>()
  const next = { forked: fork }
  const spare = new Spare({
    fork: () => {
      const made = new FakeProcess(forked.length + 1)
      forked.push(made)
      next.forked.resolve()
      next.forked = Promise.withResolvers()
      return made
    },
    wanted: () => state.wanted,
    log: (line) => lines.push(line),
  })
  return { spare, forked, lines, state, nextFork: () => next.forked.promise }
}

describe('the spare process', () => {
  it('is forked once, when it is wanted', () => {
    const { spare, forked, state } = prepare()
    state.wanted = false
    spare.keep()
    assert.equal(forked.length, 0)
    assert.equal(spare.take(), undefined)
    state.wanted = true
    spare.keep()
    spare.keep()
    assert.equal(forked.length, 1)
    assert.equal(spare.process, forked[0])
  })

  it('is given away once, and its end then concerns it no more', async () => {
    const { spare, forked, lines } = prepare()
    spare.keep()
    assert.equal(spare.take(), forked[0])
    assert.equal(spare.take(), undefined)
    forked[0]!.kill()
    await forked[0]!.gone
    assert.equal(forked.length, 1)
    assert.deepEqual(lines, [])
    spare.keep()
    assert.equal(spare.take(), forked[1])
  })

  it('is followed by another when it ends, and the log says so', async () => {
    const { spare, forked, lines, nextFork } = prepare()
    spare.keep()
    const another = nextFork()
    forked[0]!.kill()
    await another
    assert.equal(spare.process, forked[1])
    assert.deepEqual(lines, ['the spare process 1 ended with SIGKILL; another is kept'])
  })

  it('is not given away when it has just ended', () => {
    const { spare, forked } = prepare()
    spare.keep()
    forked[0]!.kill()
    assert.equal(spare.take(), undefined)
  })

  it('ends when it is stopped, and is followed by none', async () => {
    const { spare, forked, lines } = prepare()
    spare.keep()
    await spare.stop()
    assert.equal(forked[0]!.isGone, true)
    spare.keep()
    assert.equal(forked.length, 1)
    assert.deepEqual(lines, [])
  })
})
