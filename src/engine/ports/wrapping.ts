import type { Call } from '../call.ts'
import type { WrappedResult } from '../result.ts'

/** What a wrapping token says of itself without being used up. Seconds and ms. */
export interface WrappingInfo {
  readonly creationPath: string
  readonly creationTime: number
  readonly ttlSeconds: number
}

/** Content of a wrapping token as it was stored. */
export interface WrappedBody {
  readonly info: WrappingInfo
  readonly body: string
  readonly contentType: string
  readonly status: number
}

/**
 * Response wrapping as `sys/wrapping/*` uses it. The token is the call's own or the one named in the request; the core has
 * checked that it is a live wrapping token before the handler runs (`Route.wrappingToken`).
 */
export interface WrappingPort {
  lookup(call: Call<unknown>, token: string | undefined): Promise<WrappingInfo>
  /** Takes the content out; the token and its content are gone in the same commit (one winner). */
  unwrap(call: Call<unknown>, token: string | undefined): Promise<WrappedBody>
  /** Puts the content behind a new token of the same TTL and creation path, the old one gone in the same commit. */
  rewrap(call: Call<unknown>, token: string | undefined): Promise<WrappedResult>
}
