import { createHmac, createSecretKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { auditLimits } from './limits.ts'

/** What an entry of the memo takes beside its text, bytes: the quoted hash, and the cache's own places. */
const ENTRY_BYTES = 256

/** Replaces secrets in audit entries by `hmac-sha256:<hex>` under the salt of one device (spec/sys.md 6.4). */
export class AuditHmac {
  readonly #key
  readonly #memo: LRUCache<string, string>

  /** The salt is text; the memo takes at most `memoBytes`. */
  constructor(salt: string, memoBytes: number = auditLimits.memoBytes) {
    this.#key = createSecretKey(salt, 'utf8')
    this.#memo = new LRUCache<string, string>({ maxSize: memoBytes })
  }

  /** `hmac-sha256:` and 64 hexadecimal digits. */
  hash(text: string): string {
    return `hmac-sha256:${createHmac('sha256', this.#key).update(text).digest('hex')}`
  }

  /** The hash as a JSON string, remembered: tokens and accessors stand in every entry of a client. */
  quoted(text: string): string {
    if (text.length > auditLimits.memoTextUnits) return this.quotedOnce(text)
    const known = this.#memo.get(text)
    if (known !== undefined) return known
    const made = this.quotedOnce(text)
    this.#memo.set(text, made, { size: ENTRY_BYTES + 2 * text.length })
    return made
  }

  /** The hash as a JSON string, not remembered: long lists would push out what recurs. */
  quotedOnce(text: string): string {
    return `"${this.hash(text)}"`
  }

  /** Bytes the memo accounts for. */
  get memoBytes(): number {
    return this.#memo.calculatedSize
  }
}
