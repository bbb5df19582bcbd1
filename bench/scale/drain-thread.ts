import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Sends a request and lets its answer run off, in a thread of its own: a body of a hundred megabytes must not hold up the
 * clients that measure beside it.
 */
const { port, text } = workerData as { readonly port: number; readonly text: string }

/** What came of it. */
export interface Drained {
  /** 0: the server closed the connection without an answer. */
  readonly status: number
  readonly bytes: number
  readonly ms: number
  /** The beginning of the answer. */
  readonly beginning: string
}

const began = performance.now()
const socket = connect({ port, host: '127.0.0.1', noDelay: true })
let beginning = ''
let bytes = 0
let whole = Infinity
let told = false

const tell = (): void => {
  if (told) return
  told = true
  const drained: Drained = {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(beginning)?.[1] ?? 0),
    bytes,
    ms: performance.now() - began,
    beginning,
  }
  parentPort!.postMessage(drained)
  socket.destroy()
}

socket.on('connect', () => socket.write(text))
socket.on('data', (piece) => {
  if (beginning.length < 1_000) {
    beginning += piece.toString('latin1', 0, 1_000)
    const end = beginning.indexOf('\r\n\r\n')
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(beginning)
    if (end !== -1 && length !== null) whole = end + 4 + Number(length[1])
  }
  bytes += piece.length
  const isLast = piece.length >= 5 && piece.toString('latin1', piece.length - 5) === '0\r\n\r\n'
  if (bytes >= whole || (whole === Infinity && isLast)) tell()
})
socket.on('error', tell)
socket.on('close', tell)
