import type { Namespace } from '../engine/call.ts'
import type { LiveToken, NewToken, TokenRecord, TokenScope } from '../engine/ports/tokens.ts'
import type { Names, Reader, Records, Ref, Tx } from '../engine/records.ts'
import { markKind, recordKind } from '../engine/records.ts'
import { invalid } from '../engine/refusal.ts'
import { limits } from '../limits.ts'
import { base62 } from '../std/base62.ts'
import { drawnBytes } from '../std/drawn-bytes.ts'
import { mountRef, work, WORK_REVOKE } from './mounts.ts'

/** `t/<ns>H(token)` */
export const tokens = recordKind<TokenRecord>('t')
/** `tu/<ns>H(token)`: uses left of a limited token; never cached (architecture.md E5). */
export const tokenUses = recordKind<{ readonly left: number }>('tu')
/** `ta/<ns>H(accessor)`: whose it is. */
export const tokenAccessors = recordKind<{ readonly token: string; readonly accessor: string }>(
  'ta',
)
/** `tc/<ns>H(parent)<time 6 bytes>H(child)`, the time when the child was made: for clean-up only, never for validity. */
export const tokenChildren = markKind('tc')
/**
 * `x/<ns><shard><time 6 bytes>H(token)`: when to look whether the token has expired; a hint, the record is the truth (architecture.md
 * E6). Plain, as it grants nothing.
 */
export const tokenExpiries = markKind('x')

/**
 * Shards of the expiry index. By the second: what is made at the same time stands on the same page (architecture.md C7), and yet all
 * shards have their part.
 */
export const EXPIRY_SHARDS = 16
const EXPIRY_SHARD_MS = 1_000

/** The part of an expiry key that orders by time (ms). */
export const timePart = (time: number): Uint8Array => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(Math.max(0, Math.floor(time)), 0, 6)
  return bytes
}

/** Where the expiry hint of a token stands that expires at `time` (ms). */
export const expiryRef = (namespace: number, key: Uint8Array, time: number) => {
  const shard = Math.floor(Math.max(0, time) / EXPIRY_SHARD_MS) % EXPIRY_SHARDS
  return tokenExpiries.at(namespace, Uint8Array.of(shard), timePart(time), key)
}

/** Where a token stands among the children of its parent. */
export const childRef = (
  namespace: number,
  parent: Uint8Array,
  { key, record }: { readonly key: Uint8Array; readonly record: Pick<TokenRecord, 'createdAt'> },
) => tokenChildren.at(namespace, parent, timePart(record.createdAt), key)

/** The key part of a token's text; also what its hash looks like in `lineage` (hex). */
export const tokenKey = (names: Names, text: string): Uint8Array => names.hash('token', text)

const hexKey = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

const hexOf = (key: Uint8Array): string => Buffer.from(key).toString('hex')

/** Where a token is. */
export const tokenRef = (namespace: Namespace, key: Uint8Array): Ref<TokenRecord> =>
  tokens.at(namespace.number, key)

/** A live token and until when it is certain to stay so by time alone (ms). */
export interface Alive extends LiveToken {
  readonly until: number
}

/**
 * The token of a key if it lives at `now`: itself, every ancestor up to the first orphaned one, and the mounts that issued
 * them. Every path that loads a stored token goes through here (architecture.md B2). `spent`: a use was spent on this very request
 * already, so none need be left.
 */
export const liveToken = async (
  reader: Reader,
  namespace: Namespace,
  key: Uint8Array,
  now: number,
  spent = false,
): Promise<Alive | undefined> => {
  const record = await reader.get(tokenRef(namespace, key))
  if (record === undefined || record.state !== 'live') return undefined
  return judgeToken(reader, namespace, { type: 'service', key, record }, now, spent)
}

/** The same for a token whose own record is known and live: all the rest that it rests on. */
export const judgeToken = async (
  reader: Reader,
  namespace: Namespace,
  { type, key, record }: Pick<LiveToken, 'type' | 'key' | 'record'>,
  now: number,
  spent = false,
): Promise<Alive | undefined> => {
  const ancestors = await reader.getMany(
    record.lineage.map((hex) => tokenRef(namespace, hexKey(hex))),
  )
  const issued = [record]
  let until = record.expiresAt ?? Infinity
  let orphan = record.lineage.length === 0
  for (const [index, ancestor] of ancestors.entries()) {
    if (ancestor === undefined || ancestor.state === 'revoked') return undefined
    // Another token of the same, chosen id: the one that stood above this is gone.
    if (ancestor.createdAt > record.createdAt) return undefined
    if (ancestor.state === 'orphaned') {
      // Nobody can rewrite the lineage of a batch token, so it ends with its parent (spec/auth.md 2.7).
      if (type === 'batch' && index === 0) return undefined
      orphan = index === 0
      break
    }
    until = Math.min(until, ancestor.expiresAt ?? Infinity)
    issued.push(ancestor)
    // What stood above an orphan means nothing: clean-up empties the lineage of those it orphaned, not of their children.
    if (ancestor.lineage.length === 0) break
  }
  if (until <= now) return undefined
  const uuids = [...new Set(issued.map(({ mountUuid }) => mountUuid))]
  const mounts = await reader.getMany(uuids.map((uuid) => mountRef(namespace, uuid)))
  for (const { mountUuid, createdAt } of issued) {
    const mount = mounts[uuids.indexOf(mountUuid)]
    // A mount that was moved took none of its tokens along.
    if (mount === undefined || createdAt <= (mount.moved?.at ?? -Infinity)) return undefined
  }
  if (record.numUses === 0) return { type, key, record, usesLeft: 0, orphan, until }
  const uses = await reader.get(tokenUses.at(namespace.number, key))
  if (uses === undefined || (uses.left <= 0 && !spent)) return undefined
  return { type, key, record, usesLeft: uses.left, orphan, until }
}

/** A random token text (`s.` + 24 base-62 characters) and accessor. */
export const drawToken = (): { readonly text: string; readonly accessor: string } => ({
  text: `s.${base62(drawnBytes, 24)}`,
  accessor: base62(drawnBytes, 24),
})

/** Where the owner of an accessor stands. */
export const accessorRef = (namespace: Namespace, names: Names, accessor: string) =>
  tokenAccessors.at(namespace.number, names.hash('token-accessor', accessor))

/** The live token of an accessor. */
export const liveByAccessor = async (
  reader: Reader,
  { namespace, names, now }: TokenScope,
  accessor: string,
): Promise<Alive | undefined> => {
  const owner = await reader.get(accessorRef(namespace, names, accessor))
  return owner === undefined ? undefined : liveToken(reader, namespace, hexKey(owner.token), now)
}

/** When a child of `parent` is made (ms): never before it, whatever the clocks of two processes say. */
export const birthBelow = (parent: LiveToken | undefined, now: number): number =>
  Math.max(now, parent?.record.createdAt ?? 0)

/** The lineage of a child of `parent`, none for an orphan. Throws a Refusal when it is too deep. */
export const lineageBelow = (parent: LiveToken | undefined): readonly string[] => {
  if (parent === undefined) return []
  // An orphaned parent's own lineage means nothing any more.
  const lineage = [hexOf(parent.key), ...(parent.orphan ? [] : parent.record.lineage)]
  if (lineage.length > limits.tokenDepth) {
    throw invalid(
      `the token would be the ${lineage.length}th generation of tokens made by tokens; at most ${limits.tokenDepth} are possible: create an orphan`,
    )
  }
  return lineage
}

/** Puts a new token with all that belongs to it; see TokenPort.issue. */
export const issueToken = (tx: Tx, scope: TokenScope, token: NewToken): LiveToken => {
  const { namespace, names, now } = scope
  const key = names.hashNew('token', token.text)
  const lineage = lineageBelow(token.parent)
  const expiresAt = token.record.creationTtl > 0 ? now + token.record.creationTtl * 1000 : undefined
  const record: TokenRecord = {
    ...token.record,
    accessor: token.accessor,
    lineage,
    createdAt: birthBelow(token.parent, now),
    expiresAt,
    renewedAt: undefined,
    state: 'live',
  }
  tx.put(tokenRef(namespace, key), record)
  tx.put(tokenAccessors.at(namespace.number, names.hashNew('token-accessor', token.accessor)), {
    token: hexOf(key),
    accessor: token.accessor,
  })
  if (token.parent !== undefined) {
    tx.put(childRef(namespace.number, token.parent.key, { key, record }), undefined)
  }
  if (record.numUses > 0) tx.put(tokenUses.at(namespace.number, key), { left: record.numUses })
  if (expiresAt !== undefined) {
    tx.put(expiryRef(namespace.number, key, expiresAt), undefined)
  }
  return {
    type: 'service',
    key,
    record,
    usesLeft: record.numUses,
    orphan: lineage.length === 0,
  }
}

/** Ends a token: from this commit on, it and all that descends from it are dead; the queue cleans up. */
export const revokeToken = (
  tx: Tx,
  namespace: Namespace,
  token: Pick<LiveToken, 'key' | 'record'>,
  state: 'revoked' | 'orphaned' = 'revoked',
): void => {
  tx.put(tokenRef(namespace, token.key), { ...token.record, state })
  tx.put(work.at(namespace.number, WORK_REVOKE, token.key), { kind: 'revoke' })
}

/** Accessors of all tokens of a namespace, in the order of their hashes. */
export const listAccessors = async function* (
  records: Records,
  namespace: Namespace,
): AsyncIterable<readonly string[]> {
  for await (const page of records.scan(tokenAccessors.under(namespace.number))) {
    yield page.map(({ value }) => value.accessor)
  }
}

/** Leased tokens that have neither ended nor expired by themselves, in the order of their hashes; reads every token. */
export const listLeased = async function* (
  records: Records,
  { namespace, now }: Pick<TokenScope, 'namespace' | 'now'>,
): AsyncIterable<readonly { readonly key: Uint8Array; readonly path: string }[]> {
  for await (const page of records.scan(tokens.under(namespace.number))) {
    yield page
      .filter(
        ({ value }) =>
          value.leased && value.state === 'live' && (value.expiresAt ?? Infinity) > now,
      )
      .map(({ tail, value }) => ({ key: tail, path: value.path }))
  }
}

const NAMESPACE_BYTES = 4
const ACCESSOR_HEAD = Buffer.from(`${tokenAccessors.prefix}/`)
const WORK_HEAD = Buffer.from(`${work.prefix}/`)

/** What writes of the core mean, for those who count: an accessor's record is put with its token, a work record at its end. */
export const commitMeaning = {
  createsToken: (key: Uint8Array): boolean => beginsWith(key, ACCESSOR_HEAD),
  revokesToken: (key: Uint8Array): boolean =>
    beginsWith(key, WORK_HEAD) && key[WORK_HEAD.length + NAMESPACE_BYTES] === WORK_REVOKE[0],
}

const beginsWith = (key: Uint8Array, head: Uint8Array): boolean => {
  for (let index = 0; index < head.length; index++) {
    if (key[index] !== head[index]) return false
  }
  return true
}
