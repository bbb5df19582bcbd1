import { createHmac, createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Breather } from '../std/breather.ts'
import { SeenLately } from '../std/seen-lately.ts'
import { auditLimits } from './limits.ts'

/** What an entry of the memo takes beside its text, bytes: the hash, and the cache's own places. */
const ENTRY_BYTES = 256

const HYPHEN = 0x2d

/** Whether a text looks like a uuid. Answers are full of them, each in its own: looking one up costs a third of hashing it, in vain. */
const isId = (text: string): boolean =>
  text.length === 36 && text.charCodeAt(8) === HYPHEN && text.charCodeAt(23) === HYPHEN

/** Replaces secrets in audit entries by `hmac-sha256:<hex>` under the salt of one device (spec/sys.md 6.4). */
export class AuditHmac {
  readonly #key
  readonly #memo: LRUCache<string, string>
  readonly #seen = new SeenLately(auditLimits.memoSeen)

  /** The salt is text; the memo takes at most `memoBytes`. */
  constructor(salt: string, memoBytes: number = auditLimits.memoBytes) {
    this.#key = createSecretKey(salt, 'utf8')
    this.#memo = new LRUCache<string, string>({ maxSize: memoBytes })
  }

  /** `hmac-sha256:` and 64 hexadecimal digits, remembered if it comes again: tokens and accessors stand in every entry of a client. */
  hash(text: string): string {
    if (text.length > auditLimits.memoTextUnits || isId(text)) return this.hashOnce(text)
    const known = this.#memo.get(text)
    if (known !== undefined) return known
    const made = this.hashOnce(text)
    // Most texts of answers come once: keeping one costs as much as hashing it.
    if (this.#seen.again(text)) this.#memo.set(text, made, { size: ENTRY_BYTES + 2 * text.length })
    return made
  }

  /** The same, not remembered: long lists would push out what recurs. */
  hashOnce(text: string): string {
    // Made flat at once: it is written many times.
    return ['hmac-sha256:', createHmac('sha256', this.#key).update(text).digest('hex')].join('')
  }

  /** The same of a long text, while others run. */
  async hashLong(text: string, breather: Breather): Promise<string> {
    const hmac = createHmac('sha256', this.#key)
    for (let at = 0; at < text.length;) {
      let end = Math.min(at + auditLimits.unitsAtOnce, text.length)
      // A pair of surrogates is one character.
      if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++
      hmac.update(text.slice(at, end))
      at = end
      await breather.due()
    }
    return ['hmac-sha256:', hmac.digest('hex')].join('')
  }

  /** Bytes the memo accounts for. */
  get memoBytes(): number {
    return this.#memo.calculatedSize
  }
}
