import type { Connection } from './connection.ts'
import { Refused, Unfit } from './failure.ts'
import { migrations, quoteSchema, SCHEMA_VERSION } from './schema-sql.ts'

/** One lock for all migrations of a database, whatever their schema: an arbitrary number of Signet's own. */
const MIGRATION_LOCK = '6001233455632211'
/** Other nodes may be migrating a large table. */
const MIGRATION_MS = 600_000

// Not to_regclass(): within a transaction its cache may not know what another has made since.
const FIND_TABLE = `
select 1 from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = 'schema_version'`

const versionIn = async (connection: Connection, schema: string): Promise<number | undefined> => {
  const found = await connection.query(FIND_TABLE, [schema])
  if (found.length === 0) return undefined
  const [row] = await connection.query(`select version from ${quoteSchema(schema)}.schema_version`)
  return row === undefined ? undefined : Number(row[0])
}

const refuseNewer = (version: number, schema: string): void => {
  if (version <= SCHEMA_VERSION) return
  throw new Unfit(
    `the schema ${schema} of the database has version ${version}, and this Signet knows versions up to ${SCHEMA_VERSION}: run a newer Signet`,
  )
}

const migrate = async (connection: Connection, schema: string): Promise<void> => {
  const quoted = quoteSchema(schema)
  await connection.query('select pg_advisory_xact_lock($1::bigint)', [MIGRATION_LOCK], MIGRATION_MS)
  const version = await versionIn(connection, schema)
  if (version === SCHEMA_VERSION) return
  if (version !== undefined) refuseNewer(version, schema)
  if (version === undefined) {
    await connection.query(`create schema if not exists ${quoted}`)
    await connection.query(`create table ${quoted}.schema_version (version integer not null)`)
    await connection.query(`insert into ${quoted}.schema_version values (0)`)
  }
  for (const step of migrations.slice(version ?? 0)) {
    await connection.query(step(quoted), [], MIGRATION_MS)
  }
  await connection.query(`update ${quoted}.schema_version set version = ${SCHEMA_VERSION}`)
}

/**
 * Brings the schema to this version of Signet, once, whoever else is starting: under a lock and in one transaction. Needs
 * the right to create only when there is something to do. Throws Unfit for a schema from the future.
 */
export const ensureSchema = async (connection: Connection, schema: string): Promise<void> => {
  const version = await versionIn(connection, schema)
  if (version === SCHEMA_VERSION) return
  if (version !== undefined) refuseNewer(version, schema)
  try {
    await connection.query('begin isolation level read committed')
    // A large table takes its time; the session's own timeouts are for requests.
    await connection.query(
      "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = '1min'",
    )
    await migrate(connection, schema)
    await connection.query('commit')
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    throw new Unfit(`the schema ${schema} of the database cannot be set up: ${error.message}`)
  }
}
