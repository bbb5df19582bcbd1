import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addCounted } from './measured.ts'
import type { Measured } from './measured.ts'
import { Counter, Histogram } from './meters.ts'
import { createMetricsPort } from './tell.ts'

const requests = (): Histogram => new Histogram('took', 'how long', ['operation'], [0.1, 1])
const valueOf = (metric: Measured | undefined, name: string, labels: object): number | undefined =>
  metric?.values.find(
    (each) =>
      (each.metricName ?? metric.name) === name &&
      JSON.stringify(each.labels) === JSON.stringify(labels),
  )?.value

describe('meters', () => {
  it('count by labels', () => {
    const counter = new Counter('done', 'what was done', ['what', 'how'])
    counter.add('login', 'well')
    counter.add('login', 'well')
    counter.add('login', 'badly')
    assert.deepEqual(counter.measured().values, [
      { value: 2, labels: { what: 'login', how: 'well' } },
      { value: 1, labels: { what: 'login', how: 'badly' } },
    ])
  })

  it('put each duration into every bucket that is wide enough', () => {
    const histogram = requests()
    for (const seconds of [0.05, 0.1, 0.5, 7]) histogram.observe(seconds, 'read')
    const measured = histogram.measured()
    const bucket = (le: number | string): number | undefined =>
      valueOf(measured, 'took_bucket', { le, operation: 'read' })
    assert.deepEqual([bucket(0.1), bucket(1), bucket('+Inf')], [2, 3, 4])
    assert.equal(valueOf(measured, 'took_count', { operation: 'read' }), 4)
    assert.equal(valueOf(measured, 'took_sum', { operation: 'read' }), 7.65)
  })

  it('are added up over processes that are gone, without what those had', () => {
    const [first, second] = [requests(), requests()]
    first.observe(0.5, 'read')
    second.observe(0.5, 'read')
    second.observe(0.5, 'write')
    const memory: Measured = {
      name: 'memory',
      help: '',
      type: 'gauge',
      aggregator: 'sum',
      values: [{ value: 1, labels: {} }],
    }
    const [sum, ...others] = addCounted([first.measured(), memory], [memory, second.measured()])
    assert.equal(valueOf(sum, 'took_count', { operation: 'read' }), 2)
    assert.equal(valueOf(sum, 'took_count', { operation: 'write' }), 1)
    assert.equal(valueOf(sum, 'took_bucket', { le: 0.1, operation: 'read' }), 0)
    assert.deepEqual(others, [])
  })

  it('are told for all processes together, in both forms', async () => {
    const processes = [1, 3].map((seconds) => {
      const histogram = requests()
      histogram.observe(seconds, 'read')
      const counter = new Counter('done', 'what was done')
      counter.add()
      return [histogram.measured(), counter.measured()]
    })
    const port = createMetricsPort(
      async () => processes,
      () => 0,
    )
    const text = await port.tell('prometheus')
    assert.match(text.contentType, /^text\/plain; version=0\.0\.4/)
    assert.match(text.body, /^# TYPE took histogram$/m)
    assert.match(text.body, /^took_bucket\{le="1",operation="read"\} 1$/m)
    assert.match(text.body, /^took_count\{operation="read"\} 2$/m)
    assert.match(text.body, /^done 2$/m)
    const json = JSON.parse((await port.tell('json')).body)
    assert.deepEqual(json, {
      Timestamp: '1970-01-01 00:00:00 +0000 UTC',
      Gauges: [],
      Points: [],
      Counters: [{ Name: 'done', Count: 2, Sum: 2, Labels: {} }],
      Samples: [{ Name: 'took', Count: 2, Sum: 4, Mean: 2, Labels: { operation: 'read' } }],
    })
  })
})
