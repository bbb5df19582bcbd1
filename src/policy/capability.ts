/** A word that a policy may grant on a path. `deny` takes everything else away. */
export type Capability =
  | 'create'
  | 'read'
  | 'update'
  | 'delete'
  | 'list'
  | 'sudo'
  | 'deny'
  | 'patch'
  | 'scan'

/** One bit for each word: rules are merged and asked by bits. */
export const BIT: Readonly<Record<Capability, number>> = {
  create: 1,
  read: 2,
  update: 4,
  delete: 8,
  list: 16,
  sudo: 32,
  deny: 64,
  patch: 128,
  scan: 256,
}

/** The order of sys/internal/ui/resultant-acl (spec/sys.md 3.6). */
const RESULTANT_ORDER: readonly Capability[] = [
  'create',
  'delete',
  'list',
  'read',
  'sudo',
  'update',
  'patch',
  'scan',
]

const SORTED: readonly Capability[] = [...RESULTANT_ORDER].sort()

/** What the legacy keyword `policy` stands for (spec/auth.md 3.2). */
export const LEGACY: ReadonlyMap<string, readonly Capability[]> = new Map([
  ['deny', ['deny']],
  ['read', ['read', 'list']],
  ['write', ['create', 'read', 'update', 'delete', 'list']],
  ['sudo', ['create', 'read', 'update', 'delete', 'list', 'sudo']],
])

/** Whether the word is a capability. */
export const isCapability = (word: string): word is Capability => Object.hasOwn(BIT, word)

/** The words' bits together; `deny` alone when it is among them. */
export const maskOf = (words: readonly Capability[]): number => {
  let mask = 0
  for (const word of words) mask |= BIT[word]
  return (mask & BIT.deny) === 0 ? mask : BIT.deny
}

const wordsOf = (order: readonly Capability[], mask: number): readonly string[] =>
  (mask & BIT.deny) !== 0 || mask === 0
    ? ['deny']
    : order.filter((word) => (mask & BIT[word]) !== 0)

/** By mask: decisions ask again and again for the same few. */
const known: (readonly string[] | undefined)[] = []

/** The capabilities as capability queries list them: sorted, `["deny"]` when there is none (spec/auth.md 3.10). */
export const sortedWords = (mask: number): readonly string[] =>
  (known[mask] ??= wordsOf(SORTED, mask))

/** The capabilities in the order of resultant-acl. */
export const resultantWords = (mask: number): readonly string[] => wordsOf(RESULTANT_ORDER, mask)
