import type { Records, Ref, Tx } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'

/**
 * Runs a deletion by id. Where that fails since the record itself is damaged, it is deleted unread: what points to a record
 * that is gone is dead and blocks nothing, so that the person or group can be made anew. `more` is done with it.
 */
export const deletingDamaged = async (
  records: Records,
  ref: Ref<unknown>,
  deletion: () => Promise<void>,
  more: (tx: Tx) => void = () => {},
): Promise<void> => {
  try {
    await deletion()
  } catch (error) {
    if (error instanceof Refusal) throw error
    const [whole] = await records.undamaged.getMany([ref])
    // Something else is the matter.
    if (whole !== undefined) throw error
    await records.transact(async (tx) => {
      tx.delete(ref)
      more(tx)
    })
  }
}
