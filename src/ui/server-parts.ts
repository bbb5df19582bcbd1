import type { Namespace } from '../engine/call.ts'
import type { AuthorizationPort } from '../engine/ports/authorization.ts'
import type { MountRecord } from '../engine/ports/mounts.ts'
import type { Names, Records } from '../engine/records.ts'
import type { Route } from '../engine/route.ts'
import type { Reply } from '../core/reply.ts'
import type { Request } from '../core/request.ts'
import type { Sessions } from './sessions.ts'

/** What the pages need of an unsealed server. */
export interface UnsealedParts {
  /** Not bound to a request. */
  readonly records: Records
  readonly names: Names
  readonly namespace: Namespace
  /** The store's time, ms. */
  now(): Promise<number>
  /** All mounts, by path. */
  mounts(): Promise<readonly MountRecord[]>
  /** What a mount serves. */
  routesOf(mount: MountRecord): readonly Route[]
  readonly application: AuthorizationPort['application']
  readonly sessions: Sessions
}

/** What the pages need of the server. */
export interface UiParts {
  /** Answers a request as if it had come over HTTP: policies, audit and all. */
  handle(request: Request): Promise<Reply>
  /** Undefined while sealed. */
  unsealed(): UnsealedParts | undefined
  /** `https://host:8200`, as clients are told; '' when nobody knows. */
  apiAddress(): string
  /** Hears of faults; never of what a browser sent. */
  log(message: string, error: unknown): void
}
