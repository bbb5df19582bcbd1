/** A value of a metric. `metricName` differs from the metric's where a histogram has several (`_bucket`, `_sum`, `_count`). */
export interface MeasuredValue {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** A metric of one process, in the form in which prom-client adds up those of several. */
export interface Measured {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly aggregator: 'sum'
  readonly values: readonly MeasuredValue[]
}

const keyOf = ({ metricName = '', labels }: MeasuredValue): string =>
  JSON.stringify([metricName, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])

/** Adds up what processes have counted that are gone: what they had (gauges) went with them. */
export const addCounted = (
  first: readonly Measured[],
  second: readonly Measured[],
): readonly Measured[] => {
  const metrics = new Map<string, Measured>()
  for (const metric of [...first, ...second]) {
    if (metric.type === 'gauge') continue
    const known = metrics.get(metric.name)
    metrics.set(metric.name, known === undefined ? metric : added(known, metric))
  }
  return [...metrics.values()]
}

const added = (first: Measured, second: Measured): Measured => {
  const values = new Map<string, MeasuredValue>()
  for (const each of [...first.values, ...second.values]) {
    const key = keyOf(each)
    values.set(key, { ...each, value: each.value + (values.get(key)?.value ?? 0) })
  }
  return { ...first, values: [...values.values()] }
}
