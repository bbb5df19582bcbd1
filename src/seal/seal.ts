import type { KeyObject } from 'node:crypto'
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import type { Keyring } from '../barrier/keyring.ts'
import { createKeyring, parseKeyring } from '../barrier/keyring.ts'
import type { Deadline, Key, Store, Version } from '../storage/store.ts'
import { newVersion } from '../storage/store.ts'
import { closeBox, openBox } from './sealed-box.ts'
import { combineShares, splitSecret } from './shamir.ts'

/*
 * What stands where: meta/seal the configuration in the clear; meta/root the root key under the key that the unseal
 * shares give; meta/keyring the keyring under the root key. All are beneath the barrier: give these functions the bare store.
 */
const CONFIG_KEY: Key = Buffer.from('meta/seal')
const ROOT_KEY: Key = Buffer.from('meta/root')
const KEYRING_KEY: Key = Buffer.from('meta/keyring')
const KEY_BYTES = 32

/** How the server is sealed: `t` of `n` shares. */
export interface SealConfig {
  readonly version: 1
  readonly type: 'shamir'
  readonly t: number
  readonly n: number
  /** Random, changes when new shares are made. */
  readonly nonce: string
}

/** What initialisation gives out, once: the shares and the key that encrypts the keyring. */
export interface Initialised {
  readonly kind: 'initialised'
  readonly config: SealConfig
  readonly unsealKeys: readonly Buffer[]
  readonly unsealed: Unsealed
}

/** What an unsealed process holds. */
export interface Unsealed {
  readonly rootKey: KeyObject
  readonly keyring: Keyring
}

interface SealRecords {
  readonly config: SealConfig
  readonly root: Uint8Array
  readonly keyring: Uint8Array
  readonly versions: { readonly config: Version; readonly root: Version; readonly keyring: Version }
}

const decodeConfig = (bytes: Uint8Array): SealConfig => {
  const config = JSON.parse(Buffer.from(bytes).toString()) as SealConfig
  if (config.version !== 1 || config.type !== 'shamir') {
    throw new BarrierBroken(CONFIG_KEY, 'is a seal configuration that this version does not know')
  }
  return config
}

const readRecords = async (store: Store, deadline: Deadline): Promise<SealRecords | undefined> => {
  const { items } = await store.read([CONFIG_KEY, ROOT_KEY, KEYRING_KEY], deadline)
  const [config, root, keyring] = items
  if (config?.value === undefined) return undefined
  if (root?.value === undefined) throw new BarrierBroken(ROOT_KEY, 'is missing')
  if (keyring?.value === undefined) throw new BarrierBroken(KEYRING_KEY, 'is missing')
  return {
    config: decodeConfig(config.value),
    root: root.value,
    keyring: keyring.value,
    versions: { config: config.version, root: root.version, keyring: keyring.version },
  }
}

const openKeyring = (rootKey: KeyObject, box: Uint8Array): Keyring => {
  const bytes = openBox(rootKey, KEYRING_KEY, box)
  if (bytes === undefined) throw new BarrierBroken(KEYRING_KEY, 'does not open under the root key')
  const keyring = parseKeyring(bytes)
  bytes.fill(0)
  return keyring
}

const closeKeyring = (rootKey: KeyObject, keyring: Keyring): Buffer => {
  const bytes = keyring.serialise()
  const box = closeBox(rootKey, KEYRING_KEY, bytes)
  bytes.fill(0)
  return box
}

const closeRootKey = (rootKey: KeyObject, combined: Uint8Array): Buffer => {
  const bytes = rootKey.export()
  const box = closeBox(createSecretKey(combined), ROOT_KEY, bytes)
  bytes.fill(0)
  return box
}

const ensureShares = (shares: number, threshold: number): void => {
  if (
    !Number.isInteger(shares) ||
    !Number.isInteger(threshold) ||
    threshold < 1 ||
    threshold > shares ||
    shares > 255
  ) {
    throw new RangeError('a seal needs 1 <= threshold <= shares <= 255')
  }
  if (threshold === 1 && shares > 1)
    throw new RangeError('a seal of several shares needs a threshold above 1')
}

/** The unseal keys of a combined key: 33 bytes each, or the key itself (32 bytes) when there is one share. */
const sharesOf = (combined: Buffer, shares: number, threshold: number): Buffer[] =>
  shares === 1 ? [Buffer.from(combined)] : splitSecret(combined, shares, threshold)

/** How many bytes an unseal key has; a share of another length cannot be one. */
export const unsealKeyBytes = (config: SealConfig): number =>
  config.n === 1 ? KEY_BYTES : KEY_BYTES + 1

/** Whether this is where the seal's configuration stands. */
export const isSealConfig = (key: Key): boolean => Buffer.from(CONFIG_KEY).equals(key)

/** The nonce of a seal's configuration as it is stored: it tells seals, and their unseal keys, apart. */
export const sealNonceOf = (stored: Uint8Array): string => decodeConfig(stored).nonce

/** The key that `t` unseal keys give; wrong shares give a wrong key, which `unseal` refuses. Throws RangeError as `combineShares` does. */
export const combineUnsealKeys = (config: SealConfig, keys: readonly Uint8Array[]): Buffer => {
  if (config.n === 1) {
    if (keys.length !== 1) throw new RangeError('this seal has one unseal key')
    return Buffer.from(keys[0]!)
  }
  return combineShares(keys)
}

/** The seal's configuration, undefined before initialisation. */
export const readSealConfig = async (
  store: Store,
  deadline: Deadline,
): Promise<SealConfig | undefined> => {
  const { items } = await store.read([CONFIG_KEY], deadline)
  const value = items[0]?.value
  return value === undefined ? undefined : decodeConfig(value)
}

/**
 * Makes root key, keyring and shares and commits them, if nobody else was first: then `already` with the
 * configuration of the winner. `now` in ms since 1970. Throws RangeError for impossible numbers of shares.
 */
export const initialiseSeal = async (
  store: Store,
  options: { readonly shares: number; readonly threshold: number; readonly now: number },
  deadline: Deadline,
): Promise<Initialised | { readonly kind: 'already'; readonly config: SealConfig }> => {
  const { shares, threshold, now } = options
  ensureShares(shares, threshold)
  const combined = randomBytes(KEY_BYTES)
  const rootKey = createSecretKey(randomBytes(KEY_BYTES))
  const keyring = createKeyring(now)
  const config: SealConfig = {
    version: 1,
    type: 'shamir',
    t: threshold,
    n: shares,
    nonce: randomUUID(),
  }
  const outcome = await store.commit(
    {
      id: newVersion(),
      checks: [CONFIG_KEY, ROOT_KEY, KEYRING_KEY].map((key) => ({ key, version: 0 })),
      writes: [
        { key: CONFIG_KEY, value: Buffer.from(JSON.stringify(config)) },
        { key: ROOT_KEY, value: closeRootKey(rootKey, combined) },
        { key: KEYRING_KEY, value: closeKeyring(rootKey, keyring) },
      ],
    },
    deadline,
  )
  if (outcome.kind === 'conflict') {
    const winner = await readRecords(store, deadline)
    if (winner === undefined)
      throw new BarrierBroken(CONFIG_KEY, 'is missing although other seal records exist')
    return { kind: 'already', config: winner.config }
  }
  const unsealKeys = sharesOf(combined, shares, threshold)
  combined.fill(0)
  return { kind: 'initialised', config, unsealKeys, unsealed: { rootKey, keyring } }
}

/**
 * The keys of the server by the combined key; `wrong key` when it is not the right one (the tag of meta/root decides, in constant time).
 * Throws BarrierBroken when the records are damaged, and an Error before initialisation.
 */
export const unseal = async (
  store: Store,
  combinedKey: Uint8Array,
  deadline: Deadline,
): Promise<Unsealed | 'wrong key'> => {
  const records = await readRecords(store, deadline)
  if (records === undefined) throw new Error('the server is not initialised')
  if (combinedKey.length !== KEY_BYTES) return 'wrong key'
  const bytes = openBox(createSecretKey(combinedKey), ROOT_KEY, records.root)
  if (bytes === undefined) return 'wrong key'
  const rootKey = createSecretKey(bytes)
  bytes.fill(0)
  return { rootKey, keyring: openKeyring(rootKey, records.keyring) }
}

/** The keyring as it stands in the store now, for a process that holds the root key and met an unknown term. */
export const reloadKeyring = async (
  store: Store,
  unsealed: Unsealed,
  deadline: Deadline,
): Promise<void> => {
  const records = await readRecords(store, deadline)
  if (records === undefined) throw new BarrierBroken(CONFIG_KEY, 'is missing')
  unsealed.keyring.adopt(openKeyring(unsealed.rootKey, records.keyring))
}

/**
 * Adds a term to the keyring and makes it active, in the store and then here. `stamps` are put in the same commit, so that no commit
 * that checked them seals under the old term afterwards (architecture.md F6). Gives the new term; tries again when another node rotates at the same time.
 */
export const rotateKeyring = async (
  store: Store,
  unsealed: Unsealed,
  options: { readonly now: number; readonly stamps: readonly Key[] },
  deadline: Deadline,
): Promise<number> => {
  for (;;) {
    const records = await readRecords(store, deadline)
    if (records === undefined) throw new BarrierBroken(CONFIG_KEY, 'is missing')
    const rotated = openKeyring(unsealed.rootKey, records.keyring).rotate(options.now)
    const outcome = await store.commit(
      {
        id: newVersion(),
        checks: [{ key: KEYRING_KEY, version: records.versions.keyring }],
        writes: [
          { key: KEYRING_KEY, value: closeKeyring(unsealed.rootKey, rotated) },
          ...options.stamps.map((key) => ({ key, value: new Uint8Array(0) })),
        ],
      },
      deadline,
    )
    if (outcome.kind === 'conflict') continue
    unsealed.keyring.adopt(rotated)
    return rotated.active.term
  }
}

/**
 * New unseal keys for the same root key; the old ones open nothing afterwards. `conflict` when another node changed the seal
 * in between. Throws RangeError for impossible numbers of shares.
 */
export const rewriteShares = async (
  store: Store,
  unsealed: Unsealed,
  options: { readonly shares: number; readonly threshold: number },
  deadline: Deadline,
): Promise<
  { readonly config: SealConfig; readonly unsealKeys: readonly Buffer[] } | 'conflict'
> => {
  const { shares, threshold } = options
  ensureShares(shares, threshold)
  const records = await readRecords(store, deadline)
  if (records === undefined) throw new BarrierBroken(CONFIG_KEY, 'is missing')
  const combined = randomBytes(KEY_BYTES)
  const config: SealConfig = {
    version: 1,
    type: 'shamir',
    t: threshold,
    n: shares,
    nonce: randomUUID(),
  }
  const outcome = await store.commit(
    {
      id: newVersion(),
      checks: [
        { key: CONFIG_KEY, version: records.versions.config },
        { key: ROOT_KEY, version: records.versions.root },
      ],
      writes: [
        { key: CONFIG_KEY, value: Buffer.from(JSON.stringify(config)) },
        { key: ROOT_KEY, value: closeRootKey(unsealed.rootKey, combined) },
      ],
    },
    deadline,
  )
  if (outcome.kind === 'conflict') return 'conflict'
  const unsealKeys = sharesOf(combined, shares, threshold)
  combined.fill(0)
  return { config, unsealKeys }
}
