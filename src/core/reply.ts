import type { Hint, Refusal } from '../engine/refusal.ts'
import { errorList } from '../engine/refusal.ts'
import type { AuthBlock, WrapInfo } from '../engine/result.ts'
import type { Json } from '../std/json.ts'

/** An enveloped success. */
export interface Success {
  readonly kind: 'success'
  readonly requestId: string
  readonly data: Json
  readonly auth: AuthBlock | undefined
  readonly wrapInfo: WrapInfo | undefined
  readonly warnings: readonly string[]
  readonly hints: readonly Hint[]
  readonly leaseDurationSeconds: number
  readonly copyDataToTop: boolean
  /** Absent: 200 with a newline at the end of the body. */
  readonly status: number | undefined
  /** What the audit entry shows in place of `data`. */
  readonly audited?: Json | undefined
  /** No warnings are `[]`, not null. */
  readonly emptyWarnings?: boolean | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** What the core answers; src/http turns it into bytes. */
export type Reply =
  | Success
  | {
      readonly kind: 'none'
      readonly hints: readonly Hint[]
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'raw'
      readonly status: number
      readonly contentType: string
      readonly body: string
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'stream'
      readonly contentType: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: AsyncIterable<Uint8Array>
      /** The body is the `data` of this answer, which has none itself. */
      readonly envelope?: Success
      readonly summary: () => Readonly<Record<string, Json>>
    }
  | ErrorReply

/** An error. */
export interface ErrorReply {
  readonly kind: 'error'
  readonly status: number
  readonly errors: readonly string[]
  readonly data: Json | undefined
  readonly hints: readonly Hint[]
  readonly headers: Readonly<Record<string, string>>
}

/** The answer to lines where an object is wanted (415). */
export const NO_RAW_BODY = 'this path takes JSON, not application/x-ndjson'

/** The same answer with headers more. */
export const withHeaders = (reply: Reply, headers: Readonly<Record<string, string>>): Reply => ({
  ...reply,
  headers: { ...reply.headers, ...headers },
})

/** An error of these texts. */
export const errorReply = (status: number, errors: readonly string[]): ErrorReply => ({
  kind: 'error',
  status,
  errors,
  data: undefined,
  hints: [],
  headers: {},
})

/** How a refusal is told. On public routes the texts stay bare (spec/auth.md 1.7 (2)). */
export const refusalReply = (refusal: Refusal, bare: boolean): ErrorReply => {
  const { details } = refusal
  const text = details.wrap === true && !bare ? errorList([refusal.message]) : refusal.message
  return {
    kind: 'error',
    status: refusal.status,
    errors: details.silent === true ? [] : [text],
    data: details.data as Json | undefined,
    hints: details.hints ?? [],
    headers: details.headers ?? {},
  }
}
