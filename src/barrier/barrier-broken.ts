import type { Key } from '../storage/store.ts'

/** A stored value that does not open under its key: changed, moved or sealed by another barrier. Tells the key in hex, never contents. */
export class BarrierBroken extends Error {
  override readonly name = 'BarrierBroken'
  readonly key: Key

  constructor(key: Key, why: string) {
    super(`the value under the storage key ${Buffer.from(key).toString('hex')} ${why}`)
    this.key = key
  }
}
