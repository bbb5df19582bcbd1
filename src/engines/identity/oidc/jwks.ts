import type { Call } from '../../../engine/call.ts'
import type { Member } from '../../../std/json.ts'
import { stringifyOrdered } from '../../../std/json.ts'
import { published } from './key-ring.ts'
import type { KeyRecord, RingKey } from './records.ts'
import { oidcKeys } from './records.ts'

/** The named keys that `keeps` lets through, as they are published; never their private halves. */
export const keysWhere = async (
  { records, namespace }: Pick<Call, 'records' | 'namespace'>,
  keeps: (key: KeyRecord) => boolean,
): Promise<readonly KeyRecord[]> => {
  const keys: KeyRecord[] = []
  for await (const page of records.scan(oidcKeys.under(namespace.number))) {
    for (const { value } of page) if (keeps(value)) keys.push(value)
  }
  return keys
}

/** The keys that sign identity tokens: those of roles (identity.md 5.7). */
export const roleKeys = (
  call: Pick<Call, 'records' | 'namespace'>,
): Promise<readonly KeyRecord[]> => keysWhere(call, ({ roles }) => roles > 0)

/** A JWKS document (RFC 7517) of what these keys publish at `now`. */
export const jwksText = (keys: readonly KeyRecord[], now: number): string => {
  const list = keys.flatMap((key) => published(key, now)).map(jwkText)
  return `{"keys":[${list.join(',')}]}`
}

const jwkText = ({ kid, algorithm, jwk }: RingKey): string => {
  const member = (name: string): Member => [name, jwk[name]]
  return stringifyOrdered([
    ['use', 'sig'],
    member('kty'),
    ['kid', kid],
    member('crv'),
    ['alg', algorithm],
    member('n'),
    member('e'),
    member('x'),
    member('y'),
  ])
}
