import type { Measured, MeasuredValue } from './measured.ts'

/*
 * Counting happens in every request, telling about it now and then: so a meter is a few numbers, and the library that renders
 * them (prom-client, 200 ms to load) is asked for when somebody wants to know.
 */

/** Between label values, which are words of ours. */
const SEPARATOR = ' '

/** The values of labels as one text. */
const keyOf = (labels: readonly string[]): string =>
  labels.length === 1 ? labels[0]! : labels.join(SEPARATOR)

/** How often something happened, by labels. */
export class Counter {
  readonly #name: string
  readonly #help: string
  readonly #labels: readonly string[]
  readonly #counts = new Map<string, number>()

  constructor(name: string, help: string, labels: readonly string[] = []) {
    this.#name = name
    this.#help = help
    this.#labels = labels
  }

  /** `labels`: the values, in the order of their names; without spaces. */
  add(...labels: readonly string[]): void {
    const key = keyOf(labels)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  measured(): Measured {
    return {
      name: this.#name,
      help: this.#help,
      type: 'counter',
      aggregator: 'sum',
      values: [...this.#counts].map(([key, value]) => ({
        value,
        labels: labelled(this.#labels, key),
      })),
    }
  }
}

interface Distribution {
  /** By bucket; the last is above all bounds. */
  readonly counts: number[]
  sum: number
}

/** How long something took, by labels. */
export class Histogram {
  readonly #name: string
  readonly #help: string
  readonly #labels: readonly string[]
  readonly #bounds: readonly number[]
  readonly #distributions = new Map<string, Distribution>()

  /** `bounds`: seconds, ascending. */
  constructor(
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[] = SECONDS,
  ) {
    this.#name = name
    this.#help = help
    this.#labels = labels
    this.#bounds = bounds
  }

  /** `labels`: the values, in the order of their names; without spaces. */
  observe(seconds: number, ...labels: readonly string[]): void {
    const key = keyOf(labels)
    let found = this.#distributions.get(key)
    if (found === undefined) {
      found = { counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), sum: 0 }
      this.#distributions.set(key, found)
    }
    let bucket = 0
    while (bucket < this.#bounds.length && seconds > this.#bounds[bucket]!) bucket++
    found.counts[bucket]!++
    found.sum += seconds
  }

  measured(): Measured {
    return {
      name: this.#name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: [...this.#distributions].flatMap(([key, found]) => this.#values(key, found)),
    }
  }

  #values(key: string, { counts, sum }: Distribution): readonly MeasuredValue[] {
    const labels = labelled(this.#labels, key)
    let below = 0
    const buckets = counts.map((count, index) => {
      below += count
      const le = this.#bounds[index] ?? '+Inf'
      return { value: below, labels: { le, ...labels }, metricName: `${this.#name}_bucket` }
    })
    return [
      ...buckets,
      { value: sum, labels, metricName: `${this.#name}_sum` },
      { value: below, labels, metricName: `${this.#name}_count` },
    ]
  }
}

const SECONDS = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

const labelled = (names: readonly string[], key: string): Readonly<Record<string, string>> => {
  const values = key.split(SEPARATOR)
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
}
