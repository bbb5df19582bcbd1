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
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Seconds, maybe a fraction; undefined when wrapping is not asked for. */
  readonly wrapTtlSeconds: number | undefined
  /** '' for root, else a path ending in '/'. */
  readonly namespace: string
  readonly remoteAddress: string
  readonly remotePort: number
}
