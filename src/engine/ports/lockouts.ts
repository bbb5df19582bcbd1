import type { Call, Mount } from '../call.ts'

/** Where a lock stands. */
export type LockoutPlace = Pick<Call, 'namespace' | 'names'> & { readonly mount: Mount }

/** Users locked out after failed logins, as `sys/locked-users` shows and unlocks them. */
export interface LockoutPort {
  /** Alias names locked out of the mount now, page by page. Reads all with failed logins there. */
  locked(call: Pick<Call, 'records' | 'now'> & LockoutPlace): AsyncIterable<readonly string[]>
  /** Forgets the failed logins of an alias; nothing happens when there are none. */
  unlock(call: Pick<Call, 'records'> & LockoutPlace, alias: string): Promise<void>
}
