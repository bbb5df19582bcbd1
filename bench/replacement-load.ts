import { drive, requestText } from './drive.ts'

/*
 * Keeps a server busy until it is told to end: audited reads and writes of secrets, by clients that connect anew when their
 * connection breaks. Arguments: port, token, clients.
 */

const KEYS = 1_000

const [port, token, clients] = process.argv.slice(2)

const over = new AbortController()
process.once('message', () => over.abort())

const driven = await drive({
  port: Number(port),
  clients: Number(clients),
  ask: (count) =>
    count % 4 === 0
      ? requestText('POST', `kv/x${(count / 4) % KEYS}`, token, { count })
      : requestText('GET', `kv/x${(count * 7) % KEYS}`, token),
  signal: over.signal,
  reconnects: true,
})
process.send?.(driven)
process.disconnect?.()
