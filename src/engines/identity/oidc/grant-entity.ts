import type { Reader } from '../../../engine/records.ts'
import type { EntityRecord } from '../records.ts'
import { findSubject } from '../subject.ts'
import { isAssigned } from './assignments.ts'
import type { TokenCall } from './grant.ts'
import { OAuthError } from './oauth-error.ts'
import type { ClientRecord } from './records.ts'

/**
 * The entity that something was granted about, as it is now; undefined when it is deleted, disabled or may no longer log in to
 * the client. Throws an OAuthError for a client whose assignment is missing.
 */
export const entityOfGrant = async (
  reader: Reader,
  call: Pick<TokenCall, 'names' | 'namespace' | 'now'>,
  client: ClientRecord,
  entityId: string,
): Promise<EntityRecord | undefined> => {
  const entity = await findSubject(reader, call.namespace.number, entityId)
  if (entity === undefined || entity.disabled) return undefined
  const assigned = await isAssigned(reader, call, client, entity.id)
  if (typeof assigned === 'object') {
    throw new OAuthError('server_error', `client assignment "${assigned.missing}" not found`)
  }
  return assigned ? entity : undefined
}
