import type { statements } from './schema-sql.ts'

/** What the lanes share. */
export interface LanePorts {
  readonly statements: ReturnType<typeof statements>
  /** The store's clock as far as it is known, in ms. */
  readonly now: () => number
  /** Takes in a time that the database told, and gives the store's clock. */
  readonly observe: (milliseconds: number) => number
  /** There is something to start. */
  readonly wake: () => void
}
