import { LRUCache } from 'lru-cache'
import { limits } from '../../limits.ts'
import type { Version } from '../../engine/records.ts'
import { shareJson } from '../../std/shared-json.ts'

type Answer = Readonly<Record<string, unknown>>

interface Kept {
  readonly parts: readonly unknown[]
  readonly answer: Answer
  /** Of the store, before the parts were read. */
  epoch: Version | undefined
  /** When a membership that shows in it ends, ms; undefined: none does. */
  until: number | undefined
}

/** Since when, and until when, an answer holds while nothing is committed. */
export type Holding = Pick<Kept, 'epoch' | 'until'>

/** More aliases and groups than people have: what is kept stays small. */
const PARTS = 100

/**
 * The answers of entities lately read. One is given again only where everything it was made of is the very same, and saves
 * writing and hashing it anew (architecture.md E2), or where nothing at all was committed since it was made.
 */
export class EntityAnswers {
  readonly #kept = new LRUCache<string, Kept>({ max: limits.cachedEntityAnswers })

  /** The answer of an entity while the store's epoch is the one at which it was made: then nothing has to be read. */
  current(
    namespace: number,
    id: string,
    epoch: Version | undefined,
    now: number,
  ): Answer | undefined {
    if (epoch === undefined) return undefined
    const kept = this.#kept.get(keyOf(namespace, id))
    if (kept === undefined || kept.epoch !== epoch) return undefined
    return kept.until === undefined || now < kept.until ? kept.answer : undefined
  }

  /** The answer made of these parts (records as they were read, and texts): kept, or made now. */
  of(
    namespace: number,
    id: string,
    parts: readonly unknown[],
    { epoch, until }: Holding,
    make: () => Answer,
  ): Answer {
    if (parts.length > PARTS) return make()
    const key = keyOf(namespace, id)
    const kept = this.#kept.get(key)
    if (kept !== undefined && isSame(kept.parts, parts)) {
      kept.epoch = epoch
      kept.until = until
      return kept.answer
    }
    const answer = shareJson(make())
    this.#kept.set(key, { parts, answer, epoch, until })
    return answer
  }
}

const keyOf = (namespace: number, id: string): string => `${namespace} ${id}`

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
