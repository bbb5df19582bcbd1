import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const PIECE_BYTES = 4_194_304

/** Which of some byte strings lie anywhere in the memory that a process can write to. Needs the right to trace it: of one's own children, or as root. */
export const foundInMemory = (pid: number, wanted: readonly Buffer[]): readonly Buffer[] => {
  const overlap = Math.max(...wanted.map(({ length }) => length)) - 1
  const found = new Set<Buffer>()
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    const piece = Buffer.alloc(PIECE_BYTES)
    for (const [from, to] of writableRanges(pid)) {
      for (let at = from; at < to; at += PIECE_BYTES - overlap) {
        const length = readPiece(memory, piece, at, Math.min(PIECE_BYTES, to - at))
        for (const each of wanted) if (piece.subarray(0, length).includes(each)) found.add(each)
        if (at + PIECE_BYTES >= to) break
      }
    }
  } finally {
    closeSync(memory)
  }
  return [...found]
}

const writableRanges = (pid: number): readonly (readonly [number, number])[] =>
  [...readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^(\w+)-(\w+) rw/gm)].map(
    ([, from, to]) => [Number.parseInt(from!, 16), Number.parseInt(to!, 16)],
  )

/** A range may be given back while it is read. */
const readPiece = (memory: number, piece: Buffer, at: number, length: number): number => {
  try {
    return readSync(memory, piece, 0, length, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    return 0
  }
}
