import { LRUCache } from 'lru-cache'
import { limits } from '../../limits.ts'
import { shareJson } from '../../std/shared-json.ts'

type Answer = Readonly<Record<string, unknown>>

interface Kept {
  readonly parts: readonly unknown[]
  readonly answer: Answer
}

/** More aliases and groups than people have: what is kept stays small. */
const PARTS = 100

/**
 * The answers of entities lately read. One is given again only where everything it was made of is the very same, and saves
 * writing and hashing it anew (architecture.md E2).
 */
export class EntityAnswers {
  readonly #kept = new LRUCache<string, Kept>({ max: limits.cachedEntityAnswers })

  /** The answer made of these parts (records as they were read, and texts): kept, or made now. */
  of(id: string, parts: readonly unknown[], make: () => Answer): Answer {
    if (parts.length > PARTS) return make()
    const kept = this.#kept.get(id)
    if (kept !== undefined && isSame(kept.parts, parts)) return kept.answer
    const answer = shareJson(make())
    this.#kept.set(id, { parts, answer })
    return answer
  }
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
