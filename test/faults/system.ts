import type { Random } from './random.ts'

/** A way to break a system; resolves when the system is whole again or mends itself. */
export interface Fault {
  readonly name: string
  /** How often it is chosen, against the others. */
  readonly weight: number
  strike(random: Random): Promise<void>
}

/** What is tested: some processes that are one server to their clients. */
export interface System {
  readonly name: string
  /** Starts it, initialised and unsealed. */
  start(): Promise<void>
  /** Where clients ask; each of them at random. */
  urls(): readonly string[]
  /** Once started. */
  rootToken(): string
  readonly faults: readonly Fault[]
  /** Stops everything in good order and starts it again on the same data. */
  restart(): Promise<void>
  /** Stops everything and removes its data. */
  remove(): Promise<void>
}
