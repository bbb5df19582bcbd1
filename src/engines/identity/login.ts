import { compareBytes } from '../../std/json.ts'
import type {
  AliasEntity,
  IdentityLogin,
  IdentityLoginOutcome,
} from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal, denied } from '../../engine/refusal.ts'
import type { LiveAlias } from './alias-find.ts'
import { findAliasByName } from './alias-find.ts'
import {
  activityRef,
  aliasNameRef,
  aliasRef,
  entityRef,
  freeEntityName,
  putNewEntity,
} from './entity-record.ts'
import { membershipsRef } from './group-record.ts'
import { refreshExternalGroups } from './group-refresh.ts'
import type { Metadata } from './metadata.ts'
import { checkLoginMetadata, isEmptyMetadata, sameMetadata } from './metadata.ts'
import type { AliasActivity, AliasRecord } from './records.ts'
import { writtenTime } from './written-time.ts'

/** Bytes of claimed group names kept with an alias: a directory may claim more than a record should hold. */
const CLAIMED_BYTES = 32_768

const DAY_MS = 86_400_000

/**
 * In a login's transaction: finds or makes the entity, brings alias metadata, last login and external memberships up to
 * date, and writes only what differs (identity.md 7.1, 7.3). A first login puts five records, a later one of the same day
 * none. Throws the recorded Refusals.
 *
 * Two first logins of one person both read the record of (mount, alias name) and both put it, so one of them commits and
 * the other finds that one's entity. Deletion, merge and disabling put or delete the entity that a login has read.
 */
export const login = async (tx: Tx, request: IdentityLogin): Promise<IdentityLoginOutcome> => {
  const { alias: claimed, mount, names, namespace } = request
  if (claimed.name === '') throw new Refusal('failed', 'missing name in alias')
  const metadata = claimed.metadata ?? {}
  const known = await findKnown(tx, request)
  const alias =
    known === undefined
      ? await firstLogin(tx, { ...request, name: claimed.name }, metadata)
      : followLogin(tx, request, known, metadata)
  if (known?.owner.disabled === true) throw denied()
  await noteActivity(tx, request, alias.id)
  const { matched, hints } = await refreshExternalGroups(tx, {
    namespace: namespace.number,
    names,
    entityId: alias.canonicalId,
    accessor: mount.accessor,
    claimed: request.groupAliases,
    now: request.now,
  })
  const until = (Math.floor(request.now / DAY_MS) + 1) * DAY_MS
  return { entityId: alias.canonicalId, created: known === undefined, matched, hints, until }
}

/** See IdentityPort.aliasEntity: as the first part of a login, with no metadata and nothing noted. */
export const aliasEntity = async (
  tx: Tx,
  request: AliasEntity,
): Promise<{ readonly entityId: string; readonly disabled: boolean }> => {
  const { mount, name } = request
  const known = await findAliasByName(tx, request, mount.accessor, name)
  const alias = known?.alias ?? (await firstLogin(tx, request, {}))
  return { entityId: alias.canonicalId, disabled: known?.owner.disabled === true }
}

/**
 * The alias of the login. All that a login of a known alias reads comes in two calls of the store, unless its entity has further
 * links.
 */
const findKnown = async (tx: Tx, request: IdentityLogin): Promise<LiveAlias | undefined> => {
  const { alias, mount, names, namespace } = request
  const owner = await tx.get(aliasNameRef(names, namespace.number, mount.accessor, alias.name))
  if (owner !== undefined) {
    await tx.getMany<unknown>([
      aliasRef(namespace.number, owner.id),
      entityRef(namespace.number, owner.entityId),
      activityRef(namespace.number, owner.id),
      membershipsRef(namespace.number, owner.entityId),
    ])
  }
  return findAliasByName(tx, request, mount.accessor, alias.name)
}

const firstLogin = async (
  tx: Tx,
  request: AliasEntity,
  metadata: Metadata,
): Promise<AliasRecord> => {
  checkLoginMetadata(metadata)
  const { mount, name, names, namespace } = request
  const now = writtenTime(request.now)
  const id = request.newId()
  const entity = putNewEntity(tx, names, namespace.number, {
    id: request.newId(),
    name: await freeEntityName(tx, names, namespace, (length) => request.randomBytes(length)),
    creationTime: now,
    aliases: [{ id, accessor: mount.accessor, name }],
  })
  const alias: AliasRecord = {
    id,
    canonicalId: entity.id,
    mountAccessor: mount.accessor,
    name,
    metadata: isEmptyMetadata(metadata) ? null : metadata,
    customMetadata: null,
    local: mount.local,
    mergedFromCanonicalIds: null,
    creationTime: now,
    lastUpdateTime: now,
  }
  tx.put(aliasRef(namespace.number, id), alias)
  tx.put(aliasNameRef(names, namespace.number, mount.accessor, name), { id, entityId: entity.id })
  return alias
}

/** The alias of a person known already. Only a name written exactly alike gets new metadata (recorded quirk, 7.1). */
const followLogin = (
  tx: Tx,
  request: IdentityLogin,
  { alias }: LiveAlias,
  metadata: Metadata,
): AliasRecord => {
  if (alias.name !== request.alias.name || sameMetadata(alias.metadata, metadata)) return alias
  checkLoginMetadata(metadata)
  const next: AliasRecord = {
    ...alias,
    metadata: isEmptyMetadata(metadata) ? null : metadata,
    // The reference copies the alias here, and the copy of empty custom metadata is null (identity.md 0.9).
    customMetadata: isEmptyMetadata(alias.customMetadata) ? null : alias.customMetadata,
    emptyAt: undefined,
    lastUpdateTime: writtenTime(request.now),
  }
  tx.put(aliasRef(request.namespace.number, alias.id), next)
  return next
}

/** Keeps the day of the last login and the groups claimed (settled.md 18): from one day to the next, one write. */
const noteActivity = async (
  tx: Tx,
  { namespace, now, groupAliases }: IdentityLogin,
  aliasId: string,
): Promise<void> => {
  const ref = activityRef(namespace.number, aliasId)
  const before = await tx.get(ref)
  const after: AliasActivity = {
    lastLoginDay: new Date(now).toISOString().slice(0, 10),
    claimedGroups: keptClaims(groupAliases),
  }
  const same =
    before?.lastLoginDay === after.lastLoginDay &&
    before.claimedGroups.length === after.claimedGroups.length &&
    before.claimedGroups.every((group, index) => group === after.claimedGroups[index])
  if (!same) tx.put(ref, after)
}

const keptClaims = (claimed: readonly string[]): string[] => {
  let bytes = 0
  return [...new Set(claimed)].sort(compareBytes).filter((group) => {
    bytes += Buffer.byteLength(group)
    return bytes <= CLAIMED_BYTES
  })
}
