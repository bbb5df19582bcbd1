import type { ConfigBlock } from './config-block.ts'
import type { LockoutMethod, UserLockout } from './server-config.ts'

/** A `user_lockout` block: what it leaves out comes from elsewhere. */
export type LockoutStanza = {
  readonly method: LockoutMethod
  readonly values: Partial<UserLockout>
}

/** What holds without any `user_lockout` block. */
export const defaultLockout: UserLockout = {
  threshold: 5,
  durationSeconds: 900,
  counterResetSeconds: 900,
  disabled: false,
}

const methods: readonly LockoutMethod[] = ['all', 'userpass', 'ldap', 'approle']

/** `user_lockout "<method>" { … }`. */
export const parseLockout = (name: string, block: ConfigBlock): LockoutStanza => {
  const method = methods.find((each) => each === name.toLowerCase())
  if (method === undefined) {
    throw block.wrong(`unknown auth method ${JSON.stringify(name)}: one of ${methods.join(', ')}`)
  }
  const threshold = block.integer('lockout_threshold')
  if (threshold !== undefined && threshold < 0) {
    throw block.wrong('lockout_threshold cannot be negative')
  }
  const values: Record<keyof UserLockout, number | boolean | undefined> = {
    threshold,
    durationSeconds: block.seconds('lockout_duration'),
    counterResetSeconds: block.seconds('lockout_counter_reset'),
    disabled: block.boolean('disable_lockout'),
  }
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return { method, values: Object.fromEntries(given) as Partial<UserLockout> }
}

/** The lockout of each method: defaults, then `all`, then its own blocks. */
export const lockoutOf = (
  stanzas: readonly LockoutStanza[],
): ReadonlyMap<Exclude<LockoutMethod, 'all'>, UserLockout> => {
  const merged = (method: LockoutMethod, base: UserLockout): UserLockout =>
    stanzas
      .filter((each) => each.method === method)
      .reduce((value, each) => ({ ...value, ...each.values }), base)
  const all = merged('all', defaultLockout)
  return new Map(
    (['userpass', 'ldap', 'approle'] as const).map((method) => [method, merged(method, all)]),
  )
}
