/**
 * The kinds of refusal. One table (src/http/status.ts reads it through `statusOf`) turns a kind into a status.
 * `failed` is a recorded 500 for input the reference mishandles: a refusal, not a fault of ours (settled.md 2).
 */
export type RefusalKind =
  | 'invalid'
  | 'denied'
  | 'missing'
  | 'unsupported'
  | 'media-type'
  | 'too-large'
  | 'limited'
  | 'failed'
  | 'upstream'
  | 'unavailable'

const STATUS: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  denied: 403,
  missing: 404,
  unsupported: 405,
  'too-large': 413,
  'media-type': 415,
  limited: 429,
  failed: 500,
  upstream: 502,
  unavailable: 503,
}

export interface RefusalDetails {
  /** The error form of spec/auth.md 1.7 (2): on token-authenticated paths the text is `1 error occurred:\n\t* …\n\n`. */
  readonly wrap?: boolean
  /** Sent beside `errors`, where the reference sends both. */
  readonly data?: unknown
  /** No text at all: `{"errors":[]}`. */
  readonly silent?: boolean
  readonly hints?: readonly Hint[]
  readonly headers?: Readonly<Record<string, string>>
}

/** Advice that Vault never gives; each code has a line in docs/hints.md. */
export interface Hint {
  readonly code: string
  readonly text: string
}

/** An expected "no": thrown by engines and by the core, turned into an answer in one place. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly kind: RefusalKind
  readonly details: RefusalDetails

  constructor(kind: RefusalKind, text: string, details: RefusalDetails = {}) {
    super(text)
    this.kind = kind
    this.details = details
  }

  /** The HTTP status of this refusal. */
  get status(): number {
    return STATUS[this.kind]
  }
}

/** 400 with exactly this text (a "message response"). */
export const invalid = (text: string, details?: RefusalDetails): Refusal =>
  new Refusal('invalid', text, details)

/** A refusal whose text the reference wraps (an "error" in spec/auth.md 1.7): W(text). Kind `failed` is a recorded 500. */
export const wrapped = (kind: RefusalKind, text: string): Refusal =>
  new Refusal(kind, text, { wrap: true })

/** 500 W(text): input the reference answers with a 500 (settled.md 2). */
export const failed = (text: string): Refusal => wrapped('failed', text)

/** 403 with exactly this text. */
export const denied = (text = 'permission denied'): Refusal => new Refusal('denied', text)

/** How the reference begins what it says of a login that came along with a request (spec/auth.md 1.4). */
export const INLINE_AUTH_FAILED = 'failed to perform inline authentication: '

/** The header of an answer that is the login's own, for it led to no token. */
export const INLINE_AUTH_MARK = 'X-Vault-Inline-Auth-Failed'

/** The layout of several errors in one text: `N errors occurred:\n\t* a\n\t* b\n\n`. */
export const errorList = (texts: readonly string[]): string =>
  `${texts.length} error${texts.length === 1 ? '' : 's'} occurred:\n${texts.map((t) => `\t* ${t}\n`).join('')}\n`
