import { Refusal, invalid } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import type { FreshPairs, NewPair } from './key-pair.ts'
import type { KeyRecord, PrivateKeys, RetiredKey, RingKey } from './records.ts'

/** The key that always exists, as it is until somebody stores it (identity.md 5.2). */
export const DEFAULT_KEY: KeyRecord = {
  name: 'default',
  algorithm: 'RS256',
  rotationPeriod: 86_400,
  verificationTtl: 86_400,
  allowedClientIds: ['*'],
  current: undefined,
  next: undefined,
  retired: [],
  nextRotationAt: undefined,
  verifyUntil: 0,
  roles: 0,
  clients: 0,
  references: 0,
}

/** The public keys that a key publishes at `now`, in the order in which they came to be. */
export const published = (key: KeyRecord, now: number): readonly RingKey[] => [
  ...key.retired.filter(({ until }) => until > now),
  ...(key.current === undefined ? [] : [key.current]),
  ...(key.next === undefined ? [] : [key.next]),
]

/** Whether the key is to be rotated by time. */
export const isDue = (key: KeyRecord, now: number): boolean =>
  key.nextRotationAt !== undefined && key.nextRotationAt <= now

/** Retired keys that are still published, and those that retire now until `until`. */
const retire = (
  key: KeyRecord,
  keys: readonly (RingKey | undefined)[],
  until: number,
  now: number,
  byHand: boolean,
): readonly RetiredKey[] => {
  const kept = key.retired.filter((old) => old.until > now)
  if (until > now) {
    for (const ring of keys) if (ring !== undefined) kept.push({ ...ring, until })
  }
  // What is due by time is never refused: a dozen at most are published by that.
  if (byHand && kept.length > limits.oidcRetiredKeys) {
    throw invalid(
      `key "${key.name}" still publishes ${kept.length - 1} public keys of earlier rotations; rotate it with a verification_ttl of 0, or wait until they end`,
    )
  }
  return kept
}

/** A key with both its halves. */
export interface BothHalves {
  readonly key: KeyRecord
  readonly private: PrivateKeys
}

/**
 * The key after a rotation: the next one becomes current, `fresh` the next one. The old current key stays published until
 * every token it may have signed has ended, or for `verificationTtl` seconds if somebody says so. A default key that has no
 * keys yet takes both from `first`.
 */
export const rotated = (
  { key, private: old }: { readonly key: KeyRecord; readonly private: PrivateKeys | undefined },
  fresh: { readonly next: NewPair; readonly first: NewPair | undefined },
  now: number,
  how: { readonly byHand: boolean; readonly verificationTtl: number | undefined },
): BothHalves => {
  const current = key.next ?? fresh.first?.ring
  const currentPrivate = old?.next ?? fresh.first?.private
  if (current === undefined || currentPrivate === undefined) {
    throw new Refusal('unavailable', 'the key changes all the time; try again')
  }
  const { byHand, verificationTtl } = how
  const until =
    verificationTtl === undefined
      ? Math.max(now + key.verificationTtl * 1000, key.verifyUntil)
      : now + verificationTtl * 1000
  return {
    key: {
      ...key,
      current,
      next: fresh.next.ring,
      retired: retire(key, [key.current], until, now, byHand),
      nextRotationAt: now + key.rotationPeriod * 1000,
      verifyUntil: 0,
    },
    private: { current: currentPrivate, next: fresh.next.private },
  }
}

/**
 * The key with pairs that nothing has signed with: its first ones, or those of another algorithm. What was published before
 * stays so until tokens of it have ended.
 */
export const withPairs = (
  key: KeyRecord,
  { algorithm, current, next }: FreshPairs,
  now: number,
): BothHalves => ({
  key: {
    ...key,
    algorithm,
    current: current.ring,
    next: next.ring,
    retired: retire(
      key,
      [key.current, key.next],
      Math.max(now + key.verificationTtl * 1000, key.verifyUntil),
      now,
      true,
    ),
    verifyUntil: 0,
  },
  private: { current: current.private, next: next.private },
})
