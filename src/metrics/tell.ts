import type { MetricsFormat, MetricsPort } from '../engine/ports/metrics.ts'
import type { Measured, MeasuredValue } from './measured.ts'

/** Makes the port of `sys/metrics`. `collect`: what each process measured. */
export const createMetricsPort = (
  collect: () => Promise<readonly (readonly Measured[])[]>,
  now: () => number,
): MetricsPort => ({
  tell: async (format: MetricsFormat) => {
    const [processes, { AggregatorRegistry }] = await Promise.all([
      collect(),
      import('prom-client'),
    ])
    const registry = AggregatorRegistry.aggregate(processes as never)
    if (format === 'prometheus') {
      return { contentType: PROMETHEUS, body: await registry.metrics() }
    }
    const metrics = (await registry.getMetricsAsJSON()) as unknown as readonly Measured[]
    return { contentType: 'application/json', body: `${JSON.stringify(summary(metrics, now()))}\n` }
  },
})

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * The form in which the reference tells (spec/sys.md 8): there, values are those of the last ten seconds; here, as in the
 * other format, of the whole life of the server.
 */
const summary = (metrics: readonly Measured[], now: number) => ({
  Timestamp: `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
  Gauges: metrics
    .filter(({ type }) => type === 'gauge')
    .flatMap(({ name, values }) =>
      values.map(({ value, labels }) => ({ Name: name, Value: value, Labels: labels })),
    ),
  Points: [],
  Counters: metrics
    .filter(({ type }) => type === 'counter')
    .flatMap(({ name, values }) =>
      values.map(({ value, labels }) => ({ Name: name, Count: value, Sum: value, Labels: labels })),
    ),
  Samples: metrics
    .filter(({ type }) => type === 'histogram')
    .flatMap(({ name, values }) => samplesOf(name, values)),
})

const samplesOf = (name: string, values: readonly MeasuredValue[]) => {
  const of = (part: string): readonly MeasuredValue[] =>
    values.filter(({ metricName }) => metricName === `${name}_${part}`)
  const same = (labels: object, others: readonly MeasuredValue[]): number =>
    others.find((each) => JSON.stringify(each.labels) === JSON.stringify(labels))?.value ?? 0
  const sums = of('sum')
  return of('count').map(({ value: count, labels }) => {
    const sum = same(labels, sums)
    return {
      Name: name,
      Count: count,
      Sum: sum,
      Mean: count === 0 ? 0 : sum / count,
      Labels: labels,
    }
  })
}
