import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { findAlias } from './alias-find.ts'
import { deletingDamaged } from './delete-damaged.ts'
import type { ReadCall } from './entity-record.ts'
import { activityRef, aliasNameRef, aliasRef, liveLinks, rewriteEntity } from './entity-record.ts'
import type { AliasRecord } from './records.ts'

/** Records that the end of one alias writes: the alias, its name, its last login. */
export const WRITES_PER_ALIAS = 3

/** Deletes what is stored of an alias that counts, as the transaction has read it. */
export const dropAlias = (
  tx: Tx,
  { names, namespace }: Pick<ReadCall, 'names' | 'namespace'>,
  alias: AliasRecord,
): void => {
  tx.delete(aliasRef(namespace.number, alias.id))
  tx.delete(activityRef(namespace.number, alias.id))
  tx.delete(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
}

/** Deletes an alias; its entity stays, even without aliases. Nothing happens when there is none (identity.md 2.3). */
export const deleteAlias = async (call: ReadCall, id: string): Promise<void> => {
  if (idBytes(id) === undefined) return
  const namespace = call.namespace.number
  await deletingDamaged(call.records, aliasRef(namespace, id), () =>
    call.records.transact(async (tx) => {
      const found = await findAlias(tx, namespace, id)
      if (found === undefined) return
      dropAlias(tx, call, found.alias)
      const aliases = liveLinks(found.owner).filter((link) => link.id !== found.alias.id)
      rewriteEntity(tx, namespace, found.owner, { aliases }, false)
    }),
  )
}
