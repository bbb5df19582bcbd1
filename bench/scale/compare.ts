import type { Ask, Driven } from '../drive.ts'
import { drive } from '../drive.ts'
import type { Operation } from './operations.ts'
import type { Row } from './report.ts'
import { median } from '../figures.ts'
import type { Site } from './site.ts'
import type { Draw } from './zipf.ts'
import { uniform, zipf } from './zipf.ts'

/** How an operation is measured. */
export interface Rounds {
  readonly rounds: number
  /** Requests of one client in a round; 64 clients together send ten times as many. */
  readonly requests: number
}

/** The exponent of the workloads that YCSB calls Zipfian. */
const EXPONENT = 0.99

const draws: Readonly<Record<string, (things: number) => Draw>> = {
  uniform: (things) => uniform(things),
  Zipf: (things) => zipf(things, EXPONENT),
}

/** The goal of the ratio, one client at a time. */
const MOST_RATIO = 1.3

interface Measured extends Driven {
  /** CPU of the server a request, microseconds. */
  readonly cpu: number
}

const measure = async (
  { server }: Site,
  clients: number,
  requests: number,
  ask: Ask,
): Promise<Measured> => {
  const before = await server.report()
  const driven = await drive({ port: server.port, clients, ask, requests })
  if (driven.refused > 0) throw new Error(`${driven.refused} refused: ${driven.refusal}`)
  const after = await server.report()
  return { ...driven, cpu: (after.cpuMicroseconds - before.cpuMicroseconds) / driven.requests }
}

/** Measures an operation on both servers in turn, so that what else the machine does falls on both. */
export const compare = async function* (
  operation: Operation,
  few: Site,
  many: Site,
  { rounds, requests }: Rounds,
): AsyncIterable<Row> {
  for (const [keys, draw] of Object.entries(draws)) {
    if (!operation.hasKeys && keys !== 'uniform') continue
    for (const clients of [1, 64]) {
      const asks = [operation.ask(few, draw), operation.ask(many, draw)] as const
      const pairs: (readonly [few: Measured, many: Measured])[] = []
      for (let round = 0; round <= rounds; round++) {
        const count = requests * (clients === 1 ? 1 : 10)
        const first = await measure(few, clients, count, asks[0])
        const second = await measure(many, clients, count, asks[1])
        // The first round warms both up.
        if (round > 0) pairs.push([first, second])
      }
      yield {
        title: operation.title,
        keys: operation.hasKeys ? keys : '',
        clients,
        cpu: [median(pairs.map(([a]) => a.cpu)), median(pairs.map(([, b]) => b.cpu))],
        p99: [median(pairs.map(([a]) => a.p99Ms)), median(pairs.map(([, b]) => b.p99Ms))],
        ratio: median(pairs.map(([a, b]) => b.cpu / a.cpu)),
        ...(clients === 1 ? { goal: MOST_RATIO } : {}),
      }
    }
  }
}
