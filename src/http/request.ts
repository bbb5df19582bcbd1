import type { Json } from '../std/json.ts'

/** What a request asks for; `update` becomes `create` where a route tells them apart. */
export type Operation = 'read' | 'list' | 'scan' | 'update' | 'delete' | 'patch' | 'header' | 'help'

/** Headers by lower-case name; those sent several times are lists. Has no prototype. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** One X-Vault-MFA header: `<method>` or `<method>:<value>`. */
export interface MfaHeader {
  readonly method: string
  /** Undefined when only the method was named. */
  readonly value: string | undefined
}

/** A login that comes along with a request, in place of a token: what it asks for is asked for by whoever logs in so. */
export interface InlineAuth {
  /** As of a request. */
  readonly path: string
  readonly operation: 'read' | 'update'
  readonly data: Readonly<Record<string, Json>>
}

/** A request whose form has been judged; nothing about its route is known yet. Immutable. */
export interface HttpRequest {
  readonly operation: Operation
  readonly method: string
  /** Decoded, without `/v1/`; lists and scans end in `/`. */
  readonly path: string
  /** From X-Vault-Token or `Authorization: Bearer`; undefined when there is none. */
  readonly token: string | undefined
  /** Query or body as the operation has it (spec/auth.md 1.2); undefined when there was none. Use Object.hasOwn. */
  readonly data: Readonly<Record<string, Json>> | undefined
  /** A body of NDJSON, not looked into; `data` is then what the query said. */
  readonly rawBody?: Uint8Array
  /** A body that comes piece by piece and may be of any length; `data` is then what the query said. */
  readonly bodyStream?: AsyncIterable<Uint8Array>
  readonly headers: HttpHeaders
  /** Seconds, maybe a fraction; undefined when wrapping is not asked for. */
  readonly wrapTtlSeconds: number | undefined
  /** `X-Vault-Wrap-Format: jwt`. */
  readonly wrapFormat: 'jwt' | undefined
  readonly mfaHeaders: readonly MfaHeader[]
  readonly inlineAuth?: InlineAuth
  /** '' for root, else a path ending in '/'. */
  readonly namespace: string
  readonly remoteAddress: string
  readonly remotePort: number
  /** A fresh uuid. */
  readonly requestId: string
}

/** What is sent back; the length, the date and `Cache-Control: no-store` are added by the connection. */
export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: no Content-Type. */
  readonly contentType?: string
  readonly body: string | Uint8Array | undefined
  /** In place of `body`: what is sent while it is made, in chunks. */
  readonly stream?: AsyncIterable<Uint8Array>
}

/** A request for a page below `/ui/`, whose path and host have been judged. */
export interface PageRequest {
  readonly method: string
  /** Decoded. */
  readonly path: string
  /** As sent, after the `?`, one character a byte; '' for none. */
  readonly query: string
  readonly headers: HttpHeaders
  readonly body: Uint8Array
  readonly remoteAddress: string
  readonly remotePort: number
  /** Whether the connection itself is secured. */
  readonly tls: boolean
}

/** A request as it was read off the wire: only its framing has been judged. */
export interface RawRequest {
  readonly method: string
  /** The request target, one character a byte, as sent. */
  readonly target: string
  readonly headers: HttpHeaders
  readonly body: Uint8Array
  /** In place of `body`, where it is taken as it comes. */
  readonly bodyStream?: AsyncIterable<Uint8Array>
}
