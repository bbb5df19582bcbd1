import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Json } from '../std/json.ts'

/** What a request asks for, before the route tells create from update. */
export type Operation = 'read' | 'list' | 'scan' | 'update' | 'delete' | 'patch' | 'header' | 'help'

/** A request whose form has been judged; nothing about its route is known yet. Immutable. */
export interface Request {
  readonly requestId: string
  readonly operation: Operation
  /** Decoded, without `/v1/`; lists and scans end in `/`. */
  readonly path: string
  readonly token: string | undefined
  readonly data: Readonly<Record<string, Json>> | undefined
  /** A body of NDJSON, not looked into; `data` is then what the query said. */
  readonly rawBody?: Uint8Array
  /** A body that comes piece by piece and may be of any length; `data` is then what the query said. */
  readonly bodyStream?: AsyncIterable<Uint8Array>
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** X-Vault-MFA: a method by id or name, and what answers it. */
  readonly mfaHeaders?: readonly { readonly method: string; readonly value: string | undefined }[]
  /** A login that comes along, in place of a token. */
  readonly inlineAuth?: {
    readonly path: string
    readonly operation: 'read' | 'update'
    readonly data: Readonly<Record<string, Json>>
  }
  /** That this is such a login: it makes a token that is stored nowhere, and is told of it. */
  readonly onPassingToken?: (token: LiveToken) => void
  /** What it came to, for the request that it came along with; `token` is its text. */
  readonly passing?: LiveToken
  /** Seconds, maybe a fraction; undefined when wrapping is not asked for. */
  readonly wrapTtlSeconds: number | undefined
  /** '' for root, else a path ending in '/'. */
  readonly namespace: string
  readonly remoteAddress: string
  readonly remotePort: number
}
