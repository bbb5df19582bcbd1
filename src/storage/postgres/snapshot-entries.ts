import type { Entry } from '../store.ts'
import { Unavailable } from '../store.ts'
import { messageOf } from './failure.ts'
import type { Sessions } from './sessions.ts'

/** Rows read at once. */
const PAGE_ROWS = 128
/** Whoever takes the entries may pause this long: a transaction that waits for nobody must end. */
const PAUSE_MS = 600_000

/** All entries as of one instant, from a session of its own. Throws Unavailable when the database cannot be asked. */
export const snapshotEntries = async function* (
  sessions: Sessions,
  schema: string,
  signal: AbortSignal,
): AsyncIterable<Entry> {
  signal.throwIfAborted()
  const connection = await sessions.open().catch((error: unknown) => {
    throw unavailable(error)
  })
  try {
    const ask = async (text: string, values: readonly unknown[] = []) =>
      connection.query(text, values).catch((error: unknown) => {
        throw unavailable(error)
      })
    // The first statement that reads takes the snapshot; all others see the same.
    await ask('begin isolation level repeatable read read only')
    await ask(`set local idle_in_transaction_session_timeout = ${PAUSE_MS}`)
    let after: Uint8Array = new Uint8Array(0)
    for (;;) {
      const rows = await ask(
        `select k, v, ver from ${schema}.kv where k > $1 order by k limit ${PAGE_ROWS}`,
        [after],
      )
      if (rows.length === 0) return
      for (const [key, value, version] of rows) {
        signal.throwIfAborted()
        yield { key: key as Buffer, value: value as Buffer, version: Number(version) }
      }
      after = rows.at(-1)![0] as Buffer
    }
  } finally {
    await connection.close()
  }
}

const unavailable = (error: unknown): Unavailable => new Unavailable(messageOf(error))
