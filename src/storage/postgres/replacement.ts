import { keyText } from '../../std/key-text.ts'
import type { Entry, Key } from '../store.ts'
import { newVersion, Unavailable, Unknown } from '../store.ts'
import { byteaArray } from './binary-array.ts'
import type { Connection } from './connection.ts'
import { Lost, messageOf } from './failure.ts'
import type { Sessions } from './sessions.ts'

/** Rows, and bytes of them, of one statement. */
const BATCH_ROWS = 512
const BATCH_BYTES = 1_048_576
/** A statement over all rows of a large table. */
const LONG_MS = 3_600_000
/** How long the exchange waits for the commits under way, each of which is over in seconds. */
const LOCK_MS = 30_000

/** Other data for the whole table, at hand in a transaction that has changed nothing yet. */
export interface Replacement {
  /**
   * Puts it in the place of all rows: whoever reads sees the old ones until it is over, whoever writes waits, and is judged on the
   * new ones. Throws Unavailable when nothing has changed, and Unknown when the server did not say.
   */
  exchange(): Promise<void>
  /** Gives it up, if it was not put in place. */
  drop(): Promise<void>
}

/**
 * Takes in other data for the whole table, beside it: into a temporary table, in the transaction that is to put it in place, so that
 * nothing is left of it whatever happens. Every row gets a new version; `stamps` are there even if the entries have none of them.
 *
 * The rows are deleted, not truncated: a truncated table is empty for a transaction that has begun before, and a snapshot that is
 * being taken would end as if it were whole.
 */
export const prepareReplacement = async (
  sessions: Sessions,
  schema: string,
  entries: AsyncIterable<Entry>,
  stamps: readonly Key[],
): Promise<Replacement> => {
  const connection = await sessions.open().catch((error: unknown) => {
    throw unavailable(error)
  })
  const ask = async (text: string, values: readonly unknown[] = []): Promise<void> => {
    await connection.query(text, values, LONG_MS)
  }
  try {
    await begin(ask)
    const [row] = await connection.query("select current_setting('synchronous_commit')")
    if (row![0] !== 'on' && row![0] !== 'remote_apply') {
      throw new Unavailable('this session commits asynchronously')
    }
    await takeIn(ask, entries, new Set(stamps.map(keyText)))
    await insert(
      ask,
      stamps.map((key) => ({ key, value: new Uint8Array(0) })),
    )
  } catch (error) {
    await connection.close()
    throw error
  }
  return {
    exchange: async () => {
      try {
        await ask(`lock table ${schema}.kv in exclusive mode`)
        await ask(`delete from ${schema}.kv`)
        await ask(
          `insert into ${schema}.kv (k, v, ver) select k, v, ver from pg_temp.signet_restored`,
        )
      } catch (error) {
        throw unavailable(error)
      }
      await commit(connection)
    },
    // What is not committed ends with the session.
    drop: () => connection.close(),
  }
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<void>
type Row = Pick<Entry, 'key' | 'value'>

const begin = async (ask: Ask): Promise<void> => {
  await ask('begin isolation level read committed')
  await ask('set local statement_timeout = 0')
  await ask(`set local idle_in_transaction_session_timeout = ${LONG_MS}`)
  await ask(`set local lock_timeout = ${LOCK_MS}`)
  await ask(
    'create temporary table signet_restored (k bytea not null, v bytea not null, ver bigint not null) on commit drop',
  )
  // What is sealed does not compress.
  await ask('alter table pg_temp.signet_restored alter column v set storage external')
}

const takeIn = async (
  ask: Ask,
  entries: AsyncIterable<Entry>,
  apart: ReadonlySet<string>,
): Promise<void> => {
  let rows: Row[] = []
  let bytes = 0
  for await (const { key, value } of entries) {
    if (apart.has(keyText(key))) continue
    rows.push({ key, value })
    bytes += key.length + value.length
    if (rows.length < BATCH_ROWS && bytes < BATCH_BYTES) continue
    await insert(ask, rows)
    rows = []
    bytes = 0
  }
  await insert(ask, rows)
}

const insert = async (ask: Ask, rows: readonly Row[]): Promise<void> => {
  if (rows.length === 0) return
  await ask(
    `insert into pg_temp.signet_restored (k, v, ver)
      select w.k, w.v, $3::bigint from unnest($1::bytea[], $2::bytea[]) as w(k, v)`,
    [
      byteaArray(rows.map(({ key }) => key)),
      byteaArray(rows.map(({ value }) => value)),
      newVersion(),
    ],
  )
}

const commit = async (connection: Connection): Promise<void> => {
  try {
    await connection.query('commit', [], LONG_MS)
  } catch (error) {
    if (!(error instanceof Lost)) throw unavailable(error)
    throw new Unknown(`PostgreSQL did not say whether it committed: ${messageOf(error)}`)
  }
}

const unavailable = (error: unknown): Unavailable => new Unavailable(messageOf(error))
