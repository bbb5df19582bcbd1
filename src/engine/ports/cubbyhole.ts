import type { Namespace } from '../call.ts'
import type { Names, Reader, Records, Tx } from '../records.ts'
import type { Json } from '../../std/json.ts'

/** Where a token's private tree is. */
export interface CubbyholeScope {
  readonly namespace: Namespace
  readonly names: Names
  /** The hash of the token, 16 bytes. */
  readonly tokenKey: Uint8Array
}

/** A token's private tree as the core uses it: wrapped answers lie in a cubbyhole, and revoked tokens leave theirs to be dropped. */
export interface CubbyholePort {
  put(
    tx: Tx,
    scope: CubbyholeScope,
    path: string,
    data: Readonly<Record<string, Json>>,
  ): Promise<void>
  get(
    reader: Reader,
    scope: CubbyholeScope,
    path: string,
  ): Promise<Readonly<Record<string, Json>> | undefined>
  /** Drops the whole tree, in commits of at most 200 writes. */
  drop(records: Records, scope: CubbyholeScope): Promise<void>
}
