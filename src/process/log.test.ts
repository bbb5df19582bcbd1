import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LogForm } from './log.ts'
import { logTo, openLogs } from './log.ts'

const lines = (form: LogForm): string[] => {
  const written: string[] = []
  const log = logTo((line) => written.push(line), form)
  log('all is well')
  log('a round failed', new Error('no disk', { cause: new Error('EIO') }))
  return written
}

describe('the log', () => {
  it('writes time, level and message', () => {
    const [first, second] = lines({ level: 'info', format: 'standard' })
    assert.match(first!, /^\d{4}-\d\d-\d\dT[\d:.]+Z \[INFO\] {2}all is well$/)
    assert.match(second!, /\[ERROR\] a round failed: Error: no disk[\s\S]*caused by Error: EIO/)
  })

  it('writes JSON when asked', () => {
    const [first, second] = lines({ level: 'info', format: 'json' })
    assert.deepEqual(Object.keys(JSON.parse(first!) as object), [
      '@level',
      '@message',
      '@timestamp',
    ])
    assert.match((JSON.parse(second!) as { error: string }).error, /no disk/)
  })

  it('leaves out what is below its level', () => {
    assert.equal(lines({ level: 'error', format: 'standard' }).length, 1)
  })
})

describe('loggers', () => {
  it('keep to the level that was set for each, and return to the configured one', () => {
    const written: string[] = []
    const { levels, of } = openLogs((line) => written.push(line), {
      level: 'info',
      format: 'standard',
    })
    const [core, audit] = [of('core'), of('audit')]
    levels.set(new Map([['core', 'error']]))
    core('quiet')
    audit('heard')
    core('broken', new Error('no disk'))
    levels.set(new Map())
    core('heard again')
    assert.deepEqual(
      written.map((line) => /heard again|heard|quiet|broken/.exec(line)?.[0]),
      ['heard', 'broken', 'heard again'],
    )
    assert.equal(levels.of('core'), 'info')
  })
})
