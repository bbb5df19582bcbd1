import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CarriedClock, createSystemClock, StoreClock } from './clock.ts'

/** A clock that shows these times one after the other, then the last for ever. */
const showing = (...times: number[]) => {
  let last = 0
  return () => (last = times.shift() ?? last)
}

describe('the clock of a store', () => {
  it('tells whole milliseconds and never an earlier time', () => {
    const clock = new StoreClock(showing(1.9, 3.2, 2, 3.1, 4))
    assert.deepEqual(
      Array.from({ length: 6 }, () => clock.now()),
      [1, 3, 3, 3, 4, 4],
    )
  })

  it('is not behind a time it was told of', () => {
    const clock = new StoreClock(showing(10, 20, 200))
    assert.equal(clock.now(), 10)
    clock.notBehind(100)
    assert.equal(clock.now(), 100)
    clock.notBehind(50)
    assert.equal(clock.now(), 200)
  })
})

describe('a clock that is carried on', () => {
  it('goes on between readings, follows those ahead, and is set back by none', (t) => {
    let monotonic = 500
    t.mock.method(performance, 'now', () => monotonic)
    const clock = new CarriedClock()
    clock.learn(1_000_000)
    assert.equal(clock.now(), 1_000_000)
    monotonic += 2_000
    const later = clock.now()
    assert.ok(later > 1_001_000 && later <= 1_002_000, `${later}`)
    clock.learn(1_002_500)
    assert.equal(clock.now(), 1_002_500)
    clock.learn(5_000)
    assert.equal(clock.now(), 1_002_500)
    monotonic += 60_000
    clock.learn(60_000)
    const on = clock.now()
    assert.ok(on > 1_002_500 + 59_000, `${on}`)
    clock.learn(2_000_000)
    assert.equal(clock.now(), 2_000_000)
  })

  it('does not outrun what it follows, however often it is asked, when its own machine is a little fast', (t) => {
    let monotonic = 0
    t.mock.method(performance, 'now', () => monotonic)
    const clock = new CarriedClock()
    clock.learn(1_000_000)
    for (let second = 1; second <= 10_000; second++) {
      // 500 millionths fast.
      monotonic += 1_000.5
      clock.learn(1_000_000 + second * 1_000)
      assert.equal(clock.now(), 1_000_000 + second * 1_000)
    }
  })
})

describe('the clock of the machine', () => {
  it('follows the wall clock forwards and goes on when it is set back', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
    const clock = createSystemClock()
    const first = clock()
    assert.ok(first >= 1_000_000)
    t.mock.timers.setTime(5_000_000)
    assert.ok(clock() >= 5_000_000)
    t.mock.timers.setTime(2_000_000)
    const back = clock()
    assert.ok(back >= 5_000_000)
    assert.ok(clock() >= back)
  })
})
