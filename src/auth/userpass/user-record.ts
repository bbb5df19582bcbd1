import type { Call, Mount, Namespace } from '../../engine/call.ts'
import { dropRange } from '../../engine/drop-range.ts'
import type { RecordRange, Records, Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import { goLower } from '../../std/go-lower.ts'
import { allFailures } from '../shared/lockout.ts'
import type { TokenSettings } from '../shared/token-fields.ts'

/** `up/<ns><mount>H('userpass-user', name)` */
export interface User {
  /** In lower case: names differ in more than case. */
  readonly name: string
  /** bcrypt */
  readonly passwordHash: string
  readonly token: TokenSettings
}
const users = recordKind<User>('up')

type Place = Pick<Call, 'namespace' | 'mount' | 'names'>

/** Where the user of this name is kept on the mount. */
export const userRef = ({ namespace, mount, names }: Place, name: string): Ref<User> =>
  users.at(namespace.number, mount.key, names.hash('userpass-user', goLower(name)))

/** All users of the mount, in no order of names. */
export const allUsers = (namespace: Namespace, mount: Pick<Mount, 'key'>): RecordRange<User> =>
  users.under(namespace.number, mount.key)

/** Removes all that a mount stored, once it is disabled. May be broken off and run again. */
export const dropMount = async (
  records: Records,
  namespace: Namespace,
  mount: Pick<Mount, 'key'>,
): Promise<void> => {
  await dropRange(records, allUsers(namespace, mount))
  await dropRange(records, allFailures(namespace, mount))
}
