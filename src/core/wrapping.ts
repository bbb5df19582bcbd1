import type { Call, Namespace } from '../engine/call.ts'
import type { CubbyholePort } from '../engine/ports/cubbyhole.ts'
import type { NewToken } from '../engine/ports/tokens.ts'
import type { WrappedBody, WrappingInfo, WrappingPort } from '../engine/ports/wrapping.ts'
import type { Names, Reader, Records, Tx } from '../engine/records.ts'
import type { Refusal } from '../engine/refusal.ts'
import { denied, invalid } from '../engine/refusal.ts'
import type { WrappedResult } from '../engine/result.ts'
import type { Store } from '../storage/store.ts'
import { callerOf } from './callers.ts'
import { TrackedReader, asRefusal } from './records.ts'
import type { Success } from './reply.ts'
import type { Request } from './request.ts'
import type { RequestCall } from './request-call.ts'
import type { CarriedClock } from '../storage/clock.ts'
import type { Alive } from './tokens.ts'
import { drawToken, issueToken, liveToken, revokeToken, tokenKey } from './tokens.ts'

/** Under which a wrapped answer lies in its token's cubbyhole. */
const RESPONSE = 'response'

/** The policy that wrapping tokens have, and nothing else ever gets. */
export const WRAPPING_POLICY = 'response-wrapping'

export interface WrappingOptions {
  readonly store: Store
  readonly time: CarriedClock
  readonly names: Names
  readonly root: Namespace
  readonly cubbyhole: CubbyholePort
  /** The JSON text of an answer's envelope, without a newline. */
  readonly render: (success: Success) => string
  /** The mount whose tokens wrapping tokens count as: `auth/token/`. */
  readonly tokenMountUuid: () => Promise<string>
}

const notValid = (): Refusal => invalid('wrapping token is not valid or does not exist')

const validating = (detail: string): Refusal => denied(`error validating wrapping token: ${detail}`)

/** Response wrapping: answers kept behind a token of one use (spec/auth.md 4.1). */
export class Wrapping implements WrappingPort {
  readonly #options: WrappingOptions

  constructor(options: WrappingOptions) {
    this.#options = options
  }

  /** Puts an answer behind a new wrapping token, through `records`; gives the answer that carries the token. */
  async wrap(
    call: RequestCall,
    records: Records,
    success: Success,
    ttlSeconds: number,
    wrappedAccessor: string,
  ): Promise<Success> {
    const { cubbyhole, render, root, names, tokenMountUuid } = this.#options
    const drawn = drawToken()
    const mountUuid = await tokenMountUuid()
    const ttl = Math.max(1, Math.floor(ttlSeconds))
    const creationPath = call.path
    const body = { response: render({ ...success, copyDataToTop: false }) }
    await records.transact(async (tx) => {
      const record = wrappingRecord(creationPath, ttl, mountUuid, wrappedAccessor)
      const token = issueToken(
        tx,
        { namespace: root, names, now: call.now },
        {
          ...drawn,
          parent: undefined,
          record,
        },
      )
      await cubbyhole.put(tx, { namespace: root, names, tokenKey: token.key }, RESPONSE, body)
    })
    return {
      ...success,
      requestId: '',
      data: null,
      auth: undefined,
      warnings: [],
      leaseDurationSeconds: 0,
      copyDataToTop: false,
      status: undefined,
      wrapInfo: {
        token: drawn.text,
        accessor: drawn.accessor,
        ttlSeconds: Math.floor(ttlSeconds),
        createdAt: call.now,
        creationPath,
        wrappedAccessor,
      },
    }
  }

  /**
   * Refuses a request whose wrapping token (the parameter, else the client's) is not a live one; before policies are asked. `spent`:
   * the client's own token has spent a use on this request already.
   */
  async validate(request: Request, spent: boolean): Promise<void> {
    const { store, time, names, root } = this.#options
    const given = request.data?.['token']
    const named = given !== undefined && given !== null
    if (named && typeof given !== 'string')
      throw validating('could not decode token in request body')
    if (named && given === '') throw validating('empty token in request body')
    const text = named ? given : request.token
    if (text === undefined || text === '') throw validating('token is empty')
    const reader = new TrackedReader(store)
    try {
      const key = tokenKey(names, text)
      const token = await liveToken(reader, root, key, time.now(), spent && !named)
      if (token?.record.wrapping === undefined) throw notValid()
    } catch (error) {
      throw asRefusal(error)
    }
  }

  async lookup(call: Call<unknown>, token: string | undefined): Promise<WrappingInfo> {
    const found = await this.#find(call.records, call, token)
    return infoOf(found)
  }

  async unwrap(call: Call<unknown>, token: string | undefined): Promise<WrappedBody> {
    const { cubbyhole, names, root } = this.#options
    return call.records.transact(async (tx: Tx) => {
      const found = await this.#find(tx, call, token)
      const body = await cubbyhole.get(
        tx,
        { namespace: root, names, tokenKey: found.key },
        RESPONSE,
      )
      const text = body?.[RESPONSE]
      if (typeof text !== 'string') throw notValid()
      revokeToken(tx, root, found)
      return {
        info: infoOf(found),
        body: text,
        contentType: 'application/json',
        status: 200,
      }
    })
  }

  async rewrap(call: Call<unknown>, token: string | undefined): Promise<WrappedResult> {
    const { cubbyhole, names, root, tokenMountUuid } = this.#options
    const drawn = drawToken()
    const mountUuid = await tokenMountUuid()
    return call.records.transact(async (tx) => {
      const found = await this.#find(tx, call, token)
      const scope = { namespace: root, names }
      const body = await cubbyhole.get(tx, { ...scope, tokenKey: found.key }, RESPONSE)
      if (body === undefined) throw notValid()
      const { creationPath, ttl, wrappedAccessor } = found.record.wrapping!
      revokeToken(tx, root, found)
      const record = wrappingRecord(creationPath, ttl, mountUuid, wrappedAccessor)
      const made = issueToken(
        tx,
        { ...scope, now: call.now },
        { ...drawn, parent: undefined, record },
      )
      await cubbyhole.put(tx, { ...scope, tokenKey: made.key }, RESPONSE, body)
      return {
        kind: 'wrapped',
        wrapInfo: {
          token: drawn.text,
          accessor: drawn.accessor,
          ttlSeconds: ttl,
          createdAt: call.now,
          creationPath,
          wrappedAccessor,
        },
      }
    })
  }

  async #find(reader: Reader, call: Call<unknown>, token: string | undefined): Promise<Alive> {
    const { names, root } = this.#options
    if (token === undefined || token === '') {
      // The client's own token: its one use has been spent on this request.
      const own = call.caller === undefined ? undefined : callerOf(call.caller).token
      if (own?.record.wrapping === undefined) {
        throw notValid()
      }
      return { ...own, until: own.record.expiresAt ?? Infinity }
    }
    const found = await liveToken(reader, root, tokenKey(names, token), call.now)
    if (found?.record.wrapping === undefined) throw notValid()
    return found
  }
}

/** A wrapping token: one use, no renewal, an orphan that outlives nothing. */
const wrappingRecord = (
  creationPath: string,
  ttl: number,
  mountUuid: string,
  wrappedAccessor: string,
): NewToken['record'] => ({
  policies: [WRAPPING_POLICY],
  path: creationPath,
  meta: null,
  displayName: '',
  numUses: 1,
  creationTtl: ttl,
  explicitMaxTtl: ttl,
  period: 0,
  role: '',
  entityId: '',
  boundCidrs: [],
  renewable: false,
  leased: true,
  mountUuid,
  wrapping: { creationPath, ttl, wrappedAccessor },
})

const infoOf = ({ record }: Alive): WrappingInfo => ({
  creationPath: record.wrapping!.creationPath,
  creationTime: record.createdAt,
  ttlSeconds: record.wrapping!.ttl,
})
