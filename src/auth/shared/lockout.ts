import type { Call, Mount, Namespace } from '../../engine/call.ts'
import type { LockoutPort } from '../../engine/ports/lockouts.ts'
import type { Reader, RecordRange, Ref, Tx } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import { denied } from '../../engine/refusal.ts'

/** When failed logins lock a user out of a mount (spec/auth.md 6.0), after all fallbacks. */
export interface LockoutConfig {
  readonly disabled: boolean
  /** Failures that lock. */
  readonly threshold: number
  /** How long the lock holds, from the last failure. */
  readonly durationMs: number
  /** A failure later than this after the one before counts as the first again. */
  readonly counterResetMs: number
}

export const defaultLockoutConfig: LockoutConfig = {
  disabled: false,
  threshold: 5,
  durationMs: 15 * 60_000,
  counterResetMs: 15 * 60_000,
}

/** `ul/<ns><mount>H('lockout-alias', alias name)`; it lapses by the store's time, a success or an unlock removes it. */
interface Failures {
  readonly alias: string
  readonly count: number
  readonly lastMs: number
}
const failuresOf = recordKind<Failures>('ul')

type Place = Pick<Call, 'namespace' | 'mount' | 'names'>
type FailingCall = Place & Pick<Call, 'records' | 'now'>

/** A mount's lockout: what is tuned on it, else what the server has for its type. */
export const tunedLockout = (mount: Mount, server: LockoutConfig): LockoutConfig => {
  const tuned = mount.lockout ?? {}
  // Tuned numbers of 0 fall back, too.
  return {
    // A configured threshold of 0 means that nobody is locked out.
    disabled: tuned.disabled ?? (server.disabled || server.threshold === 0),
    threshold: tuned.threshold || server.threshold,
    durationMs: (tuned.durationSeconds ?? 0) * 1000 || server.durationMs,
    counterResetMs: (tuned.counterResetSeconds ?? 0) * 1000 || server.counterResetMs,
  }
}

/** Counts failed logins by (mount, alias name) in the store, so that every process sees them. */
export interface Lockout extends LockoutPort {
  /** Refuses (403) while the alias is locked, whatever the password; looks through `reader` if there is one. */
  check(call: FailingCall, alias: string, reader?: Reader): Promise<void>
  /**
   * Counts a failure in a commit of its own; refuses (403) when others locked the alias meanwhile. `known` false: nothing is
   * counted, but a commit as costly is made, so that the time tells no names.
   */
  failed(call: FailingCall, alias: string, known: boolean): Promise<void>
  /** In the login's transaction: a lock since `check` refuses (403), a success clears what was counted. */
  succeeded(call: Place & Pick<Call, 'now'>, tx: Tx, alias: string): Promise<void>
  /** In the transaction that deletes the user. */
  forget(call: Place, tx: Tx, alias: string): void
}

const failuresRef = ({ namespace, mount, names }: Place, alias: string): Ref<Failures> =>
  failuresOf.at(namespace.number, mount.key, names.hash('lockout-alias', alias))

const decoyRef = ({ namespace, mount, names }: Place): Ref<Failures> =>
  failuresOf.at(namespace.number, mount.key, names.hash('lockout-decoy', ''))

/** All counters of the mount. */
export const allFailures = (
  namespace: Namespace,
  mount: Pick<Mount, 'key'>,
): RecordRange<unknown> => failuresOf.under(namespace.number, mount.key)

const isLocked = (config: LockoutConfig, failures: Failures | undefined, now: number): boolean =>
  failures !== undefined &&
  failures.count >= config.threshold &&
  now - failures.lastMs < config.durationMs

const countAfter = (config: LockoutConfig, failures: Failures | undefined, now: number): number => {
  if (failures === undefined || failures.count >= config.threshold) return 1
  return now - failures.lastMs > config.counterResetMs ? 1 : failures.count + 1
}

/** `configOf` gives a mount's tuning over the server's; absent: the defaults everywhere. */
export const createLockout = (
  configOf: (mount: Mount) => LockoutConfig = () => defaultLockoutConfig,
): Lockout => ({
  check: async (call, alias, reader = call.records) => {
    const config = configOf(call.mount)
    if (config.disabled) return
    if (isLocked(config, await reader.get(failuresRef(call, alias)), call.now)) throw denied()
  },
  failed: async (call, alias, known) => {
    const config = configOf(call.mount)
    if (config.disabled) return
    await call.records.transact(async (tx) => {
      if (!known) {
        await tx.peek(decoyRef(call))
        tx.put(decoyRef(call), { alias: '', count: 0, lastMs: call.now })
        return
      }
      const ref = failuresRef(call, alias)
      const before = await tx.get(ref)
      if (isLocked(config, before, call.now)) throw denied()
      tx.put(ref, { alias, count: countAfter(config, before, call.now), lastMs: call.now })
    })
  },
  succeeded: async (call, tx, alias) => {
    const config = configOf(call.mount)
    if (config.disabled) return
    const ref = failuresRef(call, alias)
    const failures = await tx.get(ref)
    if (isLocked(config, failures, call.now)) throw denied()
    if (failures !== undefined) tx.delete(ref)
  },
  forget: (call, tx, alias) => tx.delete(failuresRef(call, alias)),
  locked: async function* (call) {
    const config = configOf(call.mount)
    if (config.disabled) return
    for await (const page of call.records.scan(
      failuresOf.under(call.namespace.number, call.mount.key),
    )) {
      yield page
        .filter(({ value }) => value.alias !== '' && isLocked(config, value, call.now))
        .map(({ value }) => value.alias)
    }
  },
  unlock: async (call, alias) => {
    const ref = failuresRef(call, alias)
    await call.records.transact(async (tx) => {
      if ((await tx.get(ref)) !== undefined) tx.delete(ref)
    })
  },
})
