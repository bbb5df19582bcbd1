import { LRUCache } from 'lru-cache'
import { SeenLately } from '../std/seen-lately.ts'
import { shareJson, sharedText } from '../std/shared-json.ts'
import type { Version } from './records.ts'

type Answer = Readonly<Record<string, unknown>>

interface Kept {
  readonly parts: readonly unknown[]
  readonly answer: Answer
  /** Of the store, before the parts were read. */
  epoch: Version | undefined
  /** When something that shows in it ends, ms; undefined: nothing does. */
  until: number | undefined
}

/** Since when, and until when, an answer holds while nothing is committed. */
export type Holding = Pick<Kept, 'epoch' | 'until'>

/** An answer of more parts is made anew each time: what is kept stays small. */
const PARTS = 100
/** As an answer, as a text, and as the text that audit writes. */
const TIMES_KEPT = 3
/** Keys remembered of those that were asked for once: some times as many as answers are kept. */
const ASKED = 8_192
/** The cache's own places, and the lists of parts, bytes. */
const ENTRY_BYTES = 500
/** A larger answer would push out many others. */
const BYTES_EACH = 65_536

/**
 * The answers lately given to reads. One is given again only where everything it was made of is the very same, and saves
 * writing and hashing it anew (architecture.md E2), or where nothing at all was committed since it was made.
 */
export class SharedAnswers {
  readonly #kept: LRUCache<string, Kept>
  readonly #asked = new SeenLately(ASKED)

  /** Takes at most `maxBytes` of memory, about. */
  constructor(maxBytes: number) {
    this.#kept = new LRUCache({ maxSize: maxBytes, maxEntrySize: BYTES_EACH })
  }

  /** The answer of a key while the store's epoch is the one at which it was made: then nothing has to be read. */
  current(key: string, epoch: Version | undefined, now: number): Answer | undefined {
    if (epoch === undefined) return undefined
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.epoch !== epoch) return undefined
    return kept.until === undefined || now < kept.until ? kept.answer : undefined
  }

  /** The answer made of these parts (records as they were read, and texts): kept, or made now. */
  of(
    key: string,
    parts: readonly unknown[],
    { epoch, until }: Holding,
    make: () => Answer,
  ): Answer {
    if (parts.length > PARTS) return make()
    const kept = this.#kept.get(key)
    if (kept !== undefined && isSame(kept.parts, parts)) {
      kept.epoch = epoch
      kept.until = until
      return kept.answer
    }
    // Asked for once, it would push out another, and keeping it costs as much as making it.
    if (kept === undefined && !this.#asked.again(key)) return make()
    const answer = shareJson(make())
    const size = ENTRY_BYTES + TIMES_KEPT * sharedText(answer as never).length
    this.#kept.set(key, { parts, answer, epoch, until }, { size })
    return answer
  }
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
