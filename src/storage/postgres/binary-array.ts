/*
 * Arrays in PostgreSQL's binary form. `pg` would write a bytea[] as text, two hex digits a byte and a quoted literal
 * around; a Buffer it passes on as it is.
 */
const OID = { bytea: 17, int8: 20, int4: 23 } as const
const HEADER_BYTES = 20
const NULL_LENGTH = -1

const header = (length: number, elementOid: number, elementBytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + elementBytes)
  buffer.writeInt32BE(1, 0)
  // "May hold nulls": true costs nothing.
  buffer.writeInt32BE(1, 4)
  buffer.writeInt32BE(elementOid, 8)
  buffer.writeInt32BE(length, 12)
  buffer.writeInt32BE(1, 16)
  return buffer
}

/** A `bytea[]`; undefined is null. */
export const byteaArray = (items: readonly (Uint8Array | undefined)[]): Buffer => {
  let bytes = 0
  for (const item of items) bytes += 4 + (item?.length ?? 0)
  const buffer = header(items.length, OID.bytea, bytes)
  let at = HEADER_BYTES
  for (const item of items) {
    at = buffer.writeInt32BE(item?.length ?? NULL_LENGTH, at)
    if (item === undefined) continue
    buffer.set(item, at)
    at += item.length
  }
  return buffer
}

/** An `int4[]`. */
export const int4Array = (items: readonly number[]): Buffer => {
  const buffer = header(items.length, OID.int4, items.length * 8)
  let at = HEADER_BYTES
  for (const item of items) {
    at = buffer.writeInt32BE(4, at)
    at = buffer.writeInt32BE(item, at)
  }
  return buffer
}

/** An `int8[]` of safe integers. */
export const int8Array = (items: readonly number[]): Buffer => {
  const buffer = header(items.length, OID.int8, items.length * 12)
  let at = HEADER_BYTES
  for (const item of items) {
    at = buffer.writeInt32BE(8, at)
    at = buffer.writeBigInt64BE(BigInt(item), at)
  }
  return buffer
}
