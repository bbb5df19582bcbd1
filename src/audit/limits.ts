/** The bounds of audit, each with its reason. Units are in the names. */
export const auditLimits = {
  /** HMACs remembered per device, counted as memory they really take: of the 8 MB that architecture.md E10 gives them in a worker. */
  memoBytes: 6_000_000,
  /** Texts remembered of those that came once; a power of two. */
  memoSeen: 32_768,
  /** Longer texts are not remembered: they are rarely repeated, and hashing one costs little beside its size. */
  memoTextUnits: 256,
  /** Above this many members an array or object of an answer is written as its count (architecture.md E1, E8). */
  listKeys: 10_000,
  /** Leaves hashed in one go, about half a millisecond; entries with more let other requests in between. */
  leavesAtOnce: 256,
  /** The same for their length (UTF-16): a longer text is hashed in pieces. */
  unitsAtOnce: 65_536,
  /** Units (UTF-16) in one write: large enough to amortise the call, small enough to build in a millisecond. */
  batchUnits: 1_000_000,
  /** Units waiting for a device that does not take them; past this its entries fail rather than fill the memory. */
  waitingUnits: 64_000_000,
  /** How long the answer of an http device, or the connection of a socket device, is waited for. */
  networkMs: 10_000,
} as const
