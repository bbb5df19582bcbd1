import type { Call } from '../../engine/call.ts'
import type { HealthPort } from '../../engine/ports/health.ts'
import type { Member } from '../../std/json.ts'

const BEARER = 'Bearer '

/** The token that came with a request that needs none; '' without. */
const tokenOf = (headers: Call['headers']): string => {
  const first = (name: string): string => {
    const value = headers[name]
    return typeof value === 'string' ? value : (value?.[0] ?? '')
  }
  const token = first('x-vault-token')
  if (token !== '') return token
  const authorization = first('authorization')
  return authorization.startsWith(BEARER) ? authorization.slice(BEARER.length).trim() : ''
}

/**
 * What `sys/health?detail` adds: how long the store took to answer, whether audit devices fail, and how many records were set
 * aside since the process began. Anybody learns the numbers; which devices and which kinds of record, only who has a token.
 */
export const healthDetail = async (
  health: HealthPort,
  call: Pick<Call, 'headers'>,
  storeMs: number,
): Promise<Member> => {
  const named = await health.isToken(tokenOf(call.headers))
  const broken = health.broken()
  const audit = health.audit()
  return [
    'detail',
    {
      storage: { reachable: true, latency_ms: Math.round(storeMs * 1000) / 1000 },
      audit: {
        devices: audit.devices,
        failing: audit.failing.length,
        ...(named && { failing_paths: [...audit.failing] }),
      },
      set_aside: {
        records: broken.reduce((sum, { count }) => sum + count, 0),
        ...(named && {
          by_kind: Object.fromEntries(broken.map(({ kind, count }) => [kind, count])),
        }),
      },
    },
  ]
}
