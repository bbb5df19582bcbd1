import type { Connection } from './connection.ts'
import { Unfit } from './failure.ts'

/** Locks that one process of Signet may hold at a time: two batches of 512 keys (architecture.md D2). */
export const LOCKS_PER_PROCESS = 1024
/** PostgreSQL 15, which the tests run on at least. */
const OLDEST_VERSION = 150_000

const CHECK = `
select pg_is_in_recovery(), current_setting('server_version_num'), current_setting('server_version'),
  current_setting('synchronous_commit'), current_setting('transaction_isolation'),
  current_setting('transaction_read_only'), current_setting('fsync'), current_setting('full_page_writes'),
  current_setting('max_locks_per_transaction'), current_setting('max_connections'),
  current_setting('max_prepared_transactions')`

/** A primary that commits durably and whose sessions read afresh, or an Unfit that says what to change. */
export const checkServer = async (
  connection: Connection,
  processes: number,
): Promise<{ readonly warnings: readonly string[] }> => {
  const [row = []] = await connection.query(CHECK)
  const [standby, number, version, synchronous, isolation, readOnly, fsync, pages, ...locks] = row
  if (standby === true) throw new Unfit('it is a standby, and may show what has been revoked since')
  if (Number(number) < OLDEST_VERSION) {
    throw new Unfit(`it is PostgreSQL ${String(version)}, and Signet needs 15 or newer`)
  }
  if (synchronous !== 'on' && synchronous !== 'remote_apply') {
    throw new Unfit(
      `synchronous_commit is ${String(synchronous)}, so what is acknowledged may be lost: it must be on or remote_apply for this role and database`,
    )
  }
  if (readOnly !== 'off') {
    throw new Unfit('default_transaction_read_only is on for this role or database')
  }
  if (isolation !== 'read committed') {
    throw new Unfit(
      `default_transaction_isolation is ${String(isolation)}: it must be read committed for this role and database`,
    )
  }
  checkLockTable(locks.map(Number), processes)
  return {
    warnings: [
      ...(fsync === 'on' ? [] : ['fsync is off: a power failure destroys the database']),
      ...(pages === 'on'
        ? []
        : ['full_page_writes is off: a power failure may destroy the database']),
    ],
  }
}

const checkLockTable = (settings: readonly number[], processes: number): void => {
  const [perTransaction = 0, connections = 0, prepared = 0] = settings
  const room = perTransaction * (connections + prepared)
  const needed = processes * LOCKS_PER_PROCESS
  if (room >= needed) return
  const wanted = Math.ceil(needed / (connections + prepared))
  throw new Unfit(
    `its lock table has room for ${room} locks (max_locks_per_transaction ${perTransaction} × max_connections ${connections + prepared}), ` +
      `and ${processes} processes of Signet need ${needed}: set max_locks_per_transaction to ${wanted} or more and restart it`,
  )
}
