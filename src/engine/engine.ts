import type { Call, Mount, Namespace } from './call.ts'
import type { Records, Tx } from './records.ts'
import type { Renewal } from './result.ts'
import type { Route } from './route.ts'
import type { Json } from '../std/json.ts'

/** What a method is given when one of its tokens is renewed. */
export interface RenewRequest {
  readonly namespace: Namespace
  readonly mount: Mount
  readonly names: Call['names']
  readonly now: number
  /** `Login.internal` of the login that made the token; `role` alone for a token that a token role made. */
  readonly internal: Readonly<Record<string, string>>
  /** The token's own policies, to compare with what the user or role has now. */
  readonly tokenPolicies: readonly string[]
}

/** What background work of a mount is given. */
export interface BackgroundScope extends Pick<Call, 'names' | 'newId'> {
  /** Not bound to a request: each commit rests on what it read alone. */
  readonly records: Records
  readonly namespace: Namespace
  readonly mount: Mount
  /** The store's time in ms at the beginning of the round. */
  readonly now: number
}

/** What exists once per type: an auth method or a secrets engine. Its state lives in records under the mount. */
export interface Engine {
  /** Vault's type name: `userpass`, `kv`, `identity`. */
  readonly type: string
  readonly class: 'auth' | 'secret'
  readonly summary: string
  readonly routes: readonly Route[]
  /** The routes of this mount when they depend on its options (kv version 1 or 2). Default: `routes`. */
  routesFor?(mount: Mount): readonly Route[]
  /** In the transaction that renews a token of this method; reads through `tx` so that the renewal rests on them. */
  renew?(request: RenewRequest, tx: Tx): Promise<Renewal | undefined>
  /** Tune and enable options this type refuses or accepts; throws a Refusal. */
  checkOptions?(options: Readonly<Record<string, string>>): void
  /** Removes all that a disabled mount stored, in commits of at most 200 writes; may be broken off and run again. */
  drop?(records: Records, namespace: Namespace, mount: Mount): Promise<void>
  /**
   * What this type does by itself on a mount, every second or so, in one process or in several at once: each step is one commit
   * that looks again whether it is still to be done. Must cost no more than there is to do.
   */
  background?(scope: BackgroundScope): Promise<void>
  /** The role that a login with this data is for; undefined for none that there is. Absent: its logins know no roles. */
  loginRole?(
    place: Pick<Call, 'records' | 'namespace' | 'mount' | 'names'>,
    data: Readonly<Record<string, Json>>,
  ): Promise<string | undefined>
  /** Adds tunable lockout (userpass, approle, ldap). */
  readonly lockout?: boolean
}
