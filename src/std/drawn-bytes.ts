import { randomFillSync } from 'node:crypto'

/** Bytes drawn at once: asking the generator costs as much for these as for eight. */
const POOL_BYTES = 4_096

const pool = Buffer.alloc(POOL_BYTES)
let at = POOL_BYTES

/**
 * Random bytes for what is small and drawn all the time: ids, names, tokens. From the same generator as `randomBytes`, of which many
 * are drawn ahead, as `randomUUID` does; what was given is wiped from the pool. More than 4,096 bytes throw a RangeError.
 */
export const drawnBytes = (length: number): Buffer => {
  if (length > POOL_BYTES) throw new RangeError(`at most ${POOL_BYTES} bytes are drawn at once`)
  if (at + length > POOL_BYTES) {
    randomFillSync(pool)
    at = 0
  }
  const bytes = Buffer.allocUnsafe(length)
  pool.copy(bytes, 0, at, at + length)
  pool.fill(0, at, at + length)
  at += length
  return bytes
}
