import { print } from '../figures.ts'

/** What an operation costs on both servers. */
export interface Row {
  readonly title: string
  /** How keys were drawn; '' where there are none to draw. */
  readonly keys: string
  readonly clients: number
  /** CPU of the server a request, microseconds. */
  readonly cpu: readonly [few: number, many: number]
  /** Of latency, ms. */
  readonly p99: readonly [few: number, many: number]
  readonly ratio: number
  /** What the ratio may be at most. */
  readonly goal?: number
}

const verdict = (value: number, goal: number | undefined): string =>
  goal === undefined ? '' : `${goal}`.padStart(6) + (value <= goal ? '  met' : '  NOT MET')

export const printHead = (few: number, many: number): void =>
  print(
    `${'operation'.padEnd(46)} ${'keys'.padEnd(7)} ${'clients'} ${`${few}`.padStart(8)} us ` +
      `${`${many}`.padStart(8)} us  ratio   goal           p99 ms`,
  )

export const printRow = ({ title, keys, clients, cpu, p99, ratio, goal }: Row): void =>
  print(
    `${title.padEnd(46)} ${keys.padEnd(7)} ${`${clients}`.padStart(7)} ` +
      `${cpu.map((us) => `${us.toFixed(0).padStart(8)}   `).join(' ')} ${ratio.toFixed(2).padStart(5)} ` +
      `${verdict(ratio, goal).padEnd(15)} ${p99.map((ms) => ms.toFixed(2).padStart(8)).join(' ')}`,
  )

/** One figure with its goal. */
export const printFigure = (title: string, value: number, unit: string, goal?: number): void =>
  print(
    `${title.padEnd(78)} ${value.toFixed(value < 10 ? 1 : 0).padStart(8)} ${unit.padEnd(3)}` +
      verdict(value, goal),
  )
