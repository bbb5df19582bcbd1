import { limits } from '../limits.ts'
import type { BarrierBroken } from './barrier-broken.ts'

/** What is known of values that did not open: how many of each kind of record. */
export interface BrokenCount {
  /** The prefix of their keys. */
  readonly kind: string
  readonly count: number
}

const kindOf = (key: Uint8Array): string => {
  const end = key.indexOf(0x2f)
  return end === -1 ? '' : Buffer.from(key.subarray(0, end)).toString()
}

/**
 * The stored values that this process found changed, moved or sealed by another barrier, each counted and logged once (with
 * its key in hex). Those of people and groups are left out of lists, so that one of them does not keep the others from being
 * served; all else that reads one fails, for nobody may take it for absent.
 */
export class BrokenValues {
  readonly #log: (message: string, error?: unknown) => void
  readonly #setAside: ReadonlySet<string>
  readonly #keys = new Set<string>()
  readonly #counts = new Map<string, number>()

  /** `setAside`: prefixes of the records that lists leave out. */
  constructor(log: (message: string, error?: unknown) => void, setAside: readonly string[]) {
    this.#log = log
    this.#setAside = new Set(setAside)
  }

  /** Takes note of one; true when a list shall leave it out. */
  note(error: BarrierBroken): boolean {
    const kind = kindOf(error.key)
    const id = Buffer.from(error.key).toString('hex')
    if (!this.#keys.has(id)) {
      if (this.#keys.size < limits.brokenRemembered) {
        this.#keys.add(id)
        this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
      }
      this.#log('a stored record is set aside', error)
    }
    return this.#setAside.has(kind)
  }

  /** By kind, in the order of the kinds. */
  counts(): readonly BrokenCount[] {
    return [...this.#counts]
      .map(([kind, count]) => ({ kind, count }))
      .sort((a, b) => (a.kind < b.kind ? -1 : 1))
  }
}
