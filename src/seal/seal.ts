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
 * shares give; meta/keyring the keyring under the root key; meta/seal-key the key of the shares under the root key, from
 * which processes that are unsealed learn of new shares. All are beneath the barrier: give these functions the bare store.
 */
const CONFIG_KEY: Key = Buffer.from('meta/seal')
const ROOT_KEY: Key = Buffer.from('meta/root')
const KEYRING_KEY: Key = Buffer.from('meta/keyring')
const SEAL_KEY: Key = Buffer.from('meta/seal-key')
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

/** What an unsealed process holds; `reloadKeyring` keeps it as new as the store. */
export interface Unsealed {
  /** Encrypts the keyring. */
  rootKey: KeyObject
  /** Encrypts the root key: what the unseal keys give together. */
  sealKey: KeyObject
  readonly keyring: Keyring
}

interface SealRecords {
  readonly config: SealConfig
  readonly root: Uint8Array
  readonly keyring: Uint8Array
  readonly sealKey: Uint8Array | undefined
  readonly versions: { readonly config: Version; readonly root: Version; readonly keyring: Version }
}

const decodeConfig = (bytes: Uint8Array): SealConfig => {
  let config: SealConfig
  try {
    config = JSON.parse(Buffer.from(bytes).toString()) as SealConfig
  } catch {
    throw new BarrierBroken(CONFIG_KEY, 'is no seal configuration: it was changed')
  }
  if (config.version !== 1 || config.type !== 'shamir') {
    throw new BarrierBroken(CONFIG_KEY, 'is a seal configuration that this version does not know')
  }
  return config
}

const readRecords = async (store: Store, deadline: Deadline): Promise<SealRecords | undefined> => {
  const { items } = await store.read([CONFIG_KEY, ROOT_KEY, KEYRING_KEY, SEAL_KEY], deadline)
  const [config, root, keyring, sealKey] = items
  if (config?.value === undefined) return undefined
  if (root?.value === undefined) throw new BarrierBroken(ROOT_KEY, 'is missing')
  if (keyring?.value === undefined) throw new BarrierBroken(KEYRING_KEY, 'is missing')
  return {
    config: decodeConfig(config.value),
    root: root.value,
    keyring: keyring.value,
    sealKey: sealKey?.value,
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

const closeSealKey = (rootKey: KeyObject, combined: Uint8Array): Buffer =>
  closeBox(rootKey, SEAL_KEY, combined)

/** A key out of its box; undefined when this is not the key to it. */
const openKey = (key: KeyObject, place: Key, box: Uint8Array): KeyObject | undefined => {
  const bytes = openBox(key, place, box)
  if (bytes === undefined) return undefined
  const opened = createSecretKey(bytes)
  bytes.fill(0)
  return opened
}

/** Takes in root key, keyring and key of the shares as they stand in the store. */
const follow = (unsealed: Unsealed, records: SealRecords): void => {
  const opens = openBox(unsealed.rootKey, KEYRING_KEY, records.keyring)
  opens?.fill(0)
  // Another process made a new root key, which the key of the shares opens.
  const rootKey =
    opens === undefined ? openKey(unsealed.sealKey, ROOT_KEY, records.root) : unsealed.rootKey
  if (rootKey === undefined) {
    throw new BarrierBroken(
      KEYRING_KEY,
      'is under a root key that this process cannot learn: unseal it anew',
    )
  }
  unsealed.keyring.adopt(openKeyring(rootKey, records.keyring))
  unsealed.rootKey = rootKey
  const sealKey = records.sealKey && openKey(rootKey, SEAL_KEY, records.sealKey)
  if (sealKey !== undefined && !sealKey.equals(unsealed.sealKey)) unsealed.sealKey = sealKey
}

const readSealed = async (store: Store, deadline: Deadline): Promise<SealRecords> => {
  const records = await readRecords(store, deadline)
  if (records === undefined) throw new BarrierBroken(CONFIG_KEY, 'is missing')
  return records
}

const stampWrites = (stamps: readonly Key[]) =>
  stamps.map((key) => ({ key, value: new Uint8Array(0) }))

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
      checks: [CONFIG_KEY, ROOT_KEY, KEYRING_KEY, SEAL_KEY].map((key) => ({ key, version: 0 })),
      writes: [
        { key: CONFIG_KEY, value: Buffer.from(JSON.stringify(config)) },
        { key: ROOT_KEY, value: closeRootKey(rootKey, combined) },
        { key: KEYRING_KEY, value: closeKeyring(rootKey, keyring) },
        { key: SEAL_KEY, value: closeSealKey(rootKey, combined) },
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
  const sealKey = createSecretKey(combined)
  combined.fill(0)
  return { kind: 'initialised', config, unsealKeys, unsealed: { rootKey, sealKey, keyring } }
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
  const sealKey = createSecretKey(combinedKey)
  const rootKey = openKey(sealKey, ROOT_KEY, records.root)
  if (rootKey === undefined) return 'wrong key'
  return { rootKey, sealKey, keyring: openKeyring(rootKey, records.keyring) }
}

/** Takes in the keys as they stand in the store now, for a process that met an unknown term or heard of a change. */
export const reloadKeyring = async (
  store: Store,
  unsealed: Unsealed,
  deadline: Deadline,
): Promise<void> => follow(unsealed, await readSealed(store, deadline))

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
    const records = await readSealed(store, deadline)
    follow(unsealed, records)
    const rotated = openKeyring(unsealed.rootKey, records.keyring).rotate(options.now)
    const outcome = await store.commit(
      {
        id: newVersion(),
        checks: [{ key: KEYRING_KEY, version: records.versions.keyring }],
        writes: [
          { key: KEYRING_KEY, value: closeKeyring(unsealed.rootKey, rotated) },
          ...stampWrites(options.stamps),
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
 * A new root key, under the same unseal keys; whoever knew the old one alone can read nothing that is stored from now on in
 * meta/keyring. `stamps` are put in the same commit, so that other processes take it in. Tries again when others change the
 * keys at the same time.
 */
export const rotateRootKey = async (
  store: Store,
  unsealed: Unsealed,
  options: { readonly stamps: readonly Key[] },
  deadline: Deadline,
): Promise<void> => {
  for (;;) {
    const records = await readSealed(store, deadline)
    follow(unsealed, records)
    const { sealKey } = unsealed
    const keyring = openKeyring(unsealed.rootKey, records.keyring)
    const rootKey = createSecretKey(randomBytes(KEY_BYTES))
    const combined = sealKey.export()
    const outcome = await store.commit(
      {
        id: newVersion(),
        checks: checksOf(records),
        writes: [
          { key: ROOT_KEY, value: closeRootKey(rootKey, combined) },
          { key: KEYRING_KEY, value: closeKeyring(rootKey, keyring) },
          { key: SEAL_KEY, value: closeSealKey(rootKey, combined) },
          ...stampWrites(options.stamps),
        ],
      },
      deadline,
    )
    combined.fill(0)
    if (outcome.kind === 'conflict') continue
    unsealed.rootKey = rootKey
    return
  }
}

const checksOf = ({ versions }: SealRecords) => [
  { key: CONFIG_KEY, version: versions.config },
  { key: ROOT_KEY, version: versions.root },
  { key: KEYRING_KEY, version: versions.keyring },
]

/** Unseal keys that were drawn and count for nothing until `installShares`. Holds the key they give: a secret. */
export interface DrawnShares {
  readonly config: SealConfig
  readonly combined: Buffer
  readonly unsealKeys: readonly Buffer[]
}

/** Draws new unseal keys. Throws RangeError for impossible numbers of shares. */
export const drawShares = ({
  shares,
  threshold,
}: {
  readonly shares: number
  readonly threshold: number
}): DrawnShares => {
  ensureShares(shares, threshold)
  const combined = randomBytes(KEY_BYTES)
  return {
    config: { version: 1, type: 'shamir', t: threshold, n: shares, nonce: randomUUID() },
    combined,
    unsealKeys: sharesOf(combined, shares, threshold),
  }
}

/**
 * Puts drawn unseal keys in the place of the present ones, which open nothing afterwards; the root key stays. `stamps` are put
 * in the same commit, so that other processes take them in. `conflict` when another node changed the seal in between.
 */
export const installShares = async (
  store: Store,
  unsealed: Unsealed,
  { config, combined }: Pick<DrawnShares, 'config' | 'combined'>,
  stamps: readonly Key[],
  deadline: Deadline,
): Promise<'installed' | 'conflict'> => {
  let before: Version | undefined
  for (;;) {
    const records = await readSealed(store, deadline)
    // Others may rotate keyring or root key meanwhile; unseal keys are for one to replace.
    if (before !== undefined && records.versions.config !== before) return 'conflict'
    before = records.versions.config
    follow(unsealed, records)
    const outcome = await store.commit(
      {
        id: newVersion(),
        checks: checksOf(records),
        writes: [
          { key: CONFIG_KEY, value: Buffer.from(JSON.stringify(config)) },
          { key: ROOT_KEY, value: closeRootKey(unsealed.rootKey, combined) },
          { key: SEAL_KEY, value: closeSealKey(unsealed.rootKey, combined) },
          ...stampWrites(stamps),
        ],
      },
      deadline,
    )
    if (outcome.kind === 'conflict') continue
    unsealed.sealKey = createSecretKey(combined)
    return 'installed'
  }
}
