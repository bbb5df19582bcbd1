import type { Call } from '../../engine/call.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { findAlias } from './alias-find.ts'
import { LinkChange } from './alias-links.ts'
import { deletingDamaged } from './delete-damaged.ts'
import type { ReadCall } from './entity-record.ts'
import { aliasNameRef, aliasRef, dropRecords, rewriteEntity } from './entity-record.ts'
import type { AliasRecord } from './records.ts'

/** Records that the end of one alias writes: the alias, its name, its last login. */
export const WRITES_PER_ALIAS = 3

/** Deletes what is stored of an alias that counts, as the transaction has read it. */
export const dropAlias = (
  tx: Tx,
  { names, namespace }: Pick<ReadCall, 'names' | 'namespace'>,
  alias: AliasRecord,
): void => {
  dropRecords(tx, namespace.number, alias.id)
  tx.delete(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
}

/** Deletes an alias; its entity stays, even without aliases. Nothing happens when there is none (identity.md 2.3). */
export const deleteAlias = async (
  call: ReadCall & Pick<Call, 'newId'>,
  id: string,
): Promise<void> => {
  if (idBytes(id) === undefined) return
  const namespace = call.namespace.number
  await deletingDamaged(call.records, aliasRef(namespace, id), () =>
    call.records.transact(async (tx) => {
      const found = await findAlias(tx, call, id)
      if (found === undefined) return
      const { alias, owner } = found
      dropAlias(tx, call, alias)
      const links = new LinkChange(tx, call, owner)
      await links.remove({ id: alias.id, accessor: alias.mountAccessor })
      rewriteEntity(tx, namespace, owner, links.changes, false)
    }),
  )
}
