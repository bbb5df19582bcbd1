/** Every bound of the server in one place, each with its reason. Units are in the names. */
export const limits = {
  /** Keys in one read: keeps a burst on the event loop under a millisecond. */
  storeReadKeys: 512,
  /** How long a request waits for the store before it answers 503. */
  storeWaitMs: 10_000,
  /** LMDB's free list stays short only with small transactions (measured: 200). */
  commitWrites: 200,
  /** A read set past this is a design fault: validate a stamp instead (architecture.md B1). */
  commitChecks: 512,
  /** Conflicts are settled by a queue after the first; sixteen lost races in a row mean a hot key. */
  commitAttempts: 16,
  /** A page of a list: bounds the time a reader pins LMDB pages. */
  listPageEntries: 256,
  /** Times a request is decided anew because its caller changed while it ran. */
  decisionAttempts: 8,
  /** Ancestors of a token (architecture.md B2). */
  tokenDepth: 256,
  /** Groups an entity can be in, inherited ones included (architecture.md E9). */
  groupsPerEntity: 2_000,
  /** Callers kept in memory, per process. */
  cachedCallers: 20_000,
  /** Parsed policies kept in memory, per process. */
  cachedPolicies: 10_000,
  /** System defaults of token and lease TTLs, in seconds (768h), as the reference has them. */
  defaultLeaseTtlSeconds: 2_764_800,
  maxLeaseTtlSeconds: 2_764_800,
} as const
