import type { Mount } from '../../engine/call.ts'
import type { Hint } from '../../engine/refusal.ts'

/** An alias was put on a mount through which nobody logs in, so no login will ever find it; empty when all is well. */
export const mountHints = (mount: Mount): readonly Hint[] => {
  const logsIn = mount.path.startsWith('auth/') && mount.type !== 'token'
  if (logsIn) return []
  const why =
    mount.type === 'token'
      ? 'the token method makes no logins; only a token role with allowed_entity_aliases uses such an alias'
      : `${mount.path} is a secrets engine, not an auth method`
  return [
    {
      code: 'alias-mount-cannot-log-in',
      text: `no login will find this alias: ${why}; auth methods and their accessors are listed at sys/auth`,
    },
  ]
}
