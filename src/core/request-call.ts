import { randomBytes, randomUUID } from 'node:crypto'
import type { Call, CallerView, Mount, Namespace } from '../engine/call.ts'
import type { Names, Records } from '../engine/records.ts'
import type { Hint } from '../engine/refusal.ts'
import type { Verb } from '../engine/route.ts'
import { drawnBytes } from '../std/drawn-bytes.ts'
import type { Json } from '../std/json.ts'
import type { Input } from './input.ts'
import type { Request } from './request.ts'

/** Names and ids; what is longer is asked for by people. */
const DRAWN_AHEAD = 64

/** What a call is made of. */
export interface CallParts {
  readonly request: Request
  readonly input: Input
  readonly verb: Verb
  readonly namespace: Namespace
  readonly mount: Mount
  readonly caller: CallerView | undefined
  readonly now: number
  readonly records: Records
  readonly names: Names
  readonly wrapTtlSeconds: number | undefined
}

/** One request as its handler sees it, and what the handler said besides its result. */
export class RequestCall implements Call {
  readonly input: Readonly<Record<string, unknown>>
  readonly free: Readonly<Record<string, Json>>
  readonly rawBody: Uint8Array | undefined
  readonly bodyStream: AsyncIterable<Uint8Array> | undefined
  readonly hasBody: boolean
  readonly verb: Verb
  readonly path: string
  readonly namespace: Namespace
  readonly mount: Mount
  readonly caller: CallerView | undefined
  readonly now: number
  readonly requestId: string
  readonly remoteAddress: string
  readonly headers: Request['headers']
  readonly mfaHeaders: NonNullable<Request['mfaHeaders']>
  /** Whether it is a login that came along with a request. */
  readonly isPassing: boolean
  readonly wrapTtlSeconds: number | undefined
  readonly records: Records
  readonly names: Names
  readonly warnings: string[] = []
  /** What there is to say of the parameters that were sent. */
  readonly inputWarnings: readonly string[]
  readonly hints: Hint[] = []
  entityCreated = false
  readonly #sent: ReadonlySet<string>

  constructor(parts: CallParts) {
    const { request, input } = parts
    this.input = input.values
    this.free = input.free
    this.inputWarnings = input.warnings
    this.#sent = input.sent
    this.rawBody = request.rawBody
    this.bodyStream = request.bodyStream
    this.hasBody =
      request.data !== undefined ||
      request.rawBody !== undefined ||
      request.bodyStream !== undefined
    this.verb = parts.verb
    this.path = request.path
    this.namespace = parts.namespace
    this.mount = parts.mount
    this.caller = parts.caller
    this.now = parts.now
    this.requestId = request.requestId
    this.remoteAddress = request.remoteAddress
    this.headers = request.headers
    this.mfaHeaders = request.mfaHeaders ?? []
    this.isPassing = request.onPassingToken !== undefined
    this.wrapTtlSeconds = parts.wrapTtlSeconds
    this.records = parts.records
    this.names = parts.names
  }

  readonly has = (field: string): boolean => this.#sent.has(field)

  readonly newId = (): string => randomUUID()

  readonly randomBytes = (length: number): Buffer =>
    length <= DRAWN_AHEAD ? drawnBytes(length) : randomBytes(length)

  readonly warn = (text: string): void => {
    this.warnings.push(text)
  }

  readonly hint = (code: string, text: string): void => {
    this.hints.push({ code, text })
  }

  readonly audited = (field: 'entity_created', value: boolean): void => {
    if (field === 'entity_created') this.entityCreated = value
  }
}
