import type { LiveToken, NewBatchToken, TokenRecord, TokenScope } from '../engine/ports/tokens.ts'
import type { Tx } from '../engine/records.ts'
import { Refusal, invalid } from '../engine/refusal.ts'
import { limits } from '../limits.ts'
import { decodeBase64Url } from '../std/base64-url.ts'
import { birthBelow, lineageBelow, liveToken } from './tokens.ts'

/** Seals bytes so that nobody else can read or make them. */
export interface BatchSealer {
  seal(contents: Uint8Array): Uint8Array
  /** Undefined for what was not sealed here, or was changed since. */
  open(sealed: Uint8Array): Uint8Array | undefined
}

const PREFIX = 'b.'

/** Whether a text has the form of a batch token; no token of another kind can have it. */
export const isBatchToken = (text: string): boolean => text.startsWith(PREFIX)

/** Throws the recorded 500 for a batch token that is not even base64url (spec/auth.md 1.4). */
export const checkBatchToken = (text: string): void => {
  if (!isBatchToken(text)) return
  const decoded = decodeBase64Url(text.slice(PREFIX.length))
  if (Buffer.isBuffer(decoded)) return
  throw new Refusal(
    'failed',
    `error performing token check: illegal base64 data at input byte ${decoded.faultAt}`,
  )
}

/** What a batch token carries, in this order behind the number of the form; times in ms, durations in seconds. */
const CARRIED = [
  'policies',
  'path',
  'meta',
  'displayName',
  'createdAt',
  'creationTtl',
  'role',
  'entityId',
  'boundCidrs',
  'lineage',
  'mountUuid',
  'only',
] as const satisfies readonly (keyof TokenRecord)[]

type Carried = Pick<TokenRecord, (typeof CARRIED)[number]>

const FORM = 1

const encode = (record: TokenRecord): Buffer =>
  Buffer.from(JSON.stringify([FORM, ...CARRIED.map((name) => record[name])]))

/** JSON has no undefined: what is absent is null there, and `meta` really is. */
const present = (name: (typeof CARRIED)[number], value: unknown): boolean =>
  value !== null || name === 'meta'

const decode = (contents: Uint8Array): Carried | undefined => {
  const [form, ...values] = JSON.parse(Buffer.from(contents).toString()) as readonly unknown[]
  if (form !== FORM) return undefined
  const carried = CARRIED.map((name, index): [typeof name, unknown] => [name, values[index]])
  return Object.fromEntries(carried.filter(([name, value]) => present(name, value))) as never
}

/** A token that is not stored has what it carries and none of what has to be kept somewhere. */
export const unstoredRecord = (carried: Carried): TokenRecord => ({
  ...carried,
  accessor: '',
  numUses: 0,
  explicitMaxTtl: 0,
  period: 0,
  renewable: false,
  leased: true,
  expiresAt: carried.createdAt + carried.creationTtl * 1000,
  renewedAt: undefined,
  state: 'live',
})

/** Batch tokens: all that is known of one is sealed in its text, and nothing is stored (spec/auth.md 2.11). */
export class BatchTokens {
  readonly #sealer: BatchSealer

  constructor(sealer: BatchSealer) {
    this.#sealer = sealer
  }

  /** See TokenPort.composeBatch. */
  async compose(tx: Tx, scope: TokenScope, token: NewBatchToken): Promise<LiveToken> {
    const { creator, orphan } = token
    // Nothing may be written by this transaction, so the authority of the request is not checked by a commit.
    if (creator !== undefined) {
      const alive = await liveToken(tx, scope.namespace, creator.key, scope.now)
      if (alive === undefined) throw invalid('parent token lookup failed: no parent found')
    }
    const record = unstoredRecord({
      ...token.record,
      createdAt: birthBelow(orphan ? undefined : creator, scope.now),
      lineage: lineageBelow(orphan ? undefined : creator),
    })
    const size = this.#textBytes(record)
    if (size > limits.batchTokenBytes) {
      throw invalid(
        `the batch token would be ${size} bytes long, and at most ${limits.batchTokenBytes} fit in a header: ` +
          'give it fewer policies and less metadata, or create a service token',
      )
    }
    const key = new Uint8Array(0)
    return { type: 'batch', key, record, usesLeft: 0, orphan: record.lineage.length === 0 }
  }

  /** The text of the record of a token that `compose` gave; another one each time: call it outside the transaction. */
  seal(record: TokenRecord): string {
    return PREFIX + Buffer.from(this.#sealer.seal(encode(record))).toString('base64url')
  }

  /** What a text carries; undefined unless this server sealed it and it is letter by letter what it was then. */
  open(text: string): TokenRecord | undefined {
    if (!isBatchToken(text)) return undefined
    const body = text.slice(PREFIX.length)
    const sealed = decodeBase64Url(body)
    if (!Buffer.isBuffer(sealed) || sealed.toString('base64url') !== body) return undefined
    const contents = this.#sealer.open(sealed)
    const carried = contents === undefined ? undefined : decode(contents)
    return carried === undefined ? undefined : unstoredRecord(carried)
  }

  #textBytes(record: TokenRecord): number {
    return PREFIX.length + Math.ceil(((encode(record).length + SEAL_BYTES) * 4) / 3)
  }
}

/** What sealing adds, at most. */
const SEAL_BYTES = 64
