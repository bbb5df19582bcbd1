import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TestPostgres } from '../../../test/support/postgres.ts'
import { freePort, skipWithout, startPostgres } from '../../../test/support/postgres.ts'
import { bytes, put, soon, texts } from '../conformance/kit.ts'
import { Unavailable } from '../store.ts'
import type { PostgresOptions } from './postgres-store.ts'
import { openPostgresStore } from './postgres-store.ts'
import { SCHEMA_VERSION } from './schema-sql.ts'

const skip = skipWithout('postgres')

/** Opens what must not open. */
const refused = async (options: PostgresOptions, expected: RegExp): Promise<void> => {
  await assert.rejects(
    async () => {
      const store = await openPostgresStore({ waitMs: 1_000, ...options })
      await store.close()
    },
    (error: Error) => {
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
}

describe('opening PostgreSQL', { skip }, () => {
  let server: TestPostgres
  before(async () => {
    server = await startPostgres(['max_connections=20', 'max_locks_per_transaction=100'])
  })
  after(async () => server.stop())

  const works = async (options: Partial<PostgresOptions>): Promise<void> => {
    const store = await openPostgresStore({
      connectionUrl: server.url,
      processes: 1,
      ...options,
    })
    await put(store, { a: 'there' })
    assert.deepEqual(await texts(store, ['a']), ['there'])
    await store.close()
  }

  it('names the server and what is wrong with the URL', async () => {
    const nobody = await freePort()
    const at = (port: number, database = 'postgres') =>
      `postgres://postgres:hunter2@127.0.0.1:${port}/${database}`
    await refused({ connectionUrl: at(nobody) }, new RegExp(`127.0.0.1:${nobody}: .*ECONNREFUSED`))
    await refused(
      { connectionUrl: at(server.port, 'nothing') },
      /database "nothing" does not exist/,
    )
    await refused(
      { connectionUrl: `postgres://stranger:hunter2@127.0.0.1:${server.port}/postgres` },
      /role "stranger" does not exist/,
    )
    await refused(
      { connectionUrl: 'mysql://root:hunter2@localhost/x' },
      /must begin with postgres:/,
    )
  })

  it('refuses settings that cannot work', async () => {
    await refused({ connectionUrl: server.url, poolSize: 3 }, /at least 4 connections/)
    await refused({ connectionUrl: server.url, schema: 'Bad-Name' }, /schema must be a name/)
  })

  it('tells how to enlarge a lock table that is too small', async () => {
    await refused(
      { connectionUrl: server.url, processes: 4 },
      /room for 2000 locks .* need 4096: set max_locks_per_transaction to 205 or more/,
    )
    await works({ processes: 1, schema: 'locks' })
  })

  it('refuses a role that commits asynchronously, cannot write or reads old snapshots', async () => {
    const roles = [
      ['lazy', 'synchronous_commit', 'off', /synchronous_commit is off/],
      ['local', 'synchronous_commit', 'local', /synchronous_commit is local/],
      ['reader', 'default_transaction_read_only', 'on', /default_transaction_read_only is on/],
      ['old', 'default_transaction_isolation', 'repeatable read', /must be read committed/],
    ] as const
    for (const [role, setting, value, expected] of roles) {
      await server.run(
        `create role ${role} login superuser; alter role ${role} set ${setting} = '${value}'`,
      )
      const connectionUrl = server.url.replace('postgres@', `${role}@`)
      await refused({ connectionUrl, processes: 1 }, expected)
    }
  })

  it('lets go of a session whose settings no longer hold', async () => {
    const schema = 'turned'
    await server.run('create role turned login superuser')
    const connectionUrl = server.url.replace('postgres@', 'turned@')
    const store = await openPostgresStore({ connectionUrl, schema, processes: 1, waitMs: 300 })
    await put(store, { a: '1' })
    await server.run('alter role turned set synchronous_commit = off')
    await server.run(
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'turned'",
    )
    await assert.rejects(store.read([bytes('a')], soon()), (error: Error) => {
      assert.ok(error instanceof Unavailable)
      assert.match(error.message, /synchronous_commit is off/)
      return true
    })
    await server.run('alter role turned reset synchronous_commit')
    assert.deepEqual(await texts(store, ['a']), ['1'])
    await store.close()
  })

  it('refuses a schema from the future and leaves it alone', async () => {
    await works({ schema: 'future' })
    await server.run('update future.schema_version set version = 99')
    await refused(
      { connectionUrl: server.url, schema: 'future', processes: 1 },
      new RegExp(`schema future of the database has version 99, .* up to ${SCHEMA_VERSION}`),
    )
    const [row] = await server.run('select version from future.schema_version')
    assert.equal(row!['version'], 99)
  })

  it('changes nothing when a migration fails', async () => {
    await server.run('create schema half; create table half.commits (mine int)')
    await refused({ connectionUrl: server.url, schema: 'half', processes: 1 }, /already exists/)
    const rows = await server.run(
      "select relname from pg_class where relnamespace = 'half'::regnamespace",
    )
    assert.deepEqual(rows, [{ relname: 'commits' }])
  })

  it('needs no right to create once the schema is there', async () => {
    await works({ schema: 'made' })
    await server.run(`
      create role plain login;
      grant usage on schema made to plain;
      grant select on made.schema_version to plain;
      grant select, insert, update, delete on made.kv, made.commits to plain`)
    const connectionUrl = server.url.replace('postgres@', 'plain@')
    await refused(
      { connectionUrl, schema: 'made', processes: 1 },
      /the role needs the rights to select and update the sequence "clock"/,
    )
    await server.run('grant select, update on sequence made.clock to plain')
    await works({ connectionUrl, schema: 'made' })
    await refused({ connectionUrl, schema: 'unmade', processes: 1 }, /permission denied/)
  })

  it('takes a schema of before, its rows, and the rights that others have to it', async () => {
    const { migrations } = await import('./schema-sql.ts')
    const key = Buffer.from('a').toString('hex')
    await server.run(`
      create schema older;
      create table older.schema_version (version integer not null);
      insert into older.schema_version values (2);
      ${migrations
        .slice(0, 2)
        .map((step) => step('"older"'))
        .join('')};
      insert into older.kv values ('\\x${key}', '\\x${key}', 7);
      create role "Odd one" login;
      grant usage on schema older to "Odd one";
      grant select on older.schema_version to "Odd one";
      grant select, insert, update, delete on older.kv, older.commits to "Odd one"`)
    const store = await openPostgresStore({
      connectionUrl: server.url,
      schema: 'older',
      processes: 1,
    })
    assert.deepEqual(await texts(store, ['a']), ['a'])
    await store.close()
    const [row] = await server.run('select version from older.schema_version')
    assert.equal(row!['version'], SCHEMA_VERSION)
    const connectionUrl = server.url.replace('postgres@', `${encodeURIComponent('Odd one')}@`)
    await works({ connectionUrl, schema: 'older' })
  })

  it('sets the table up for many updates', async () => {
    await works({ schema: 'upkeep' })
    const [kv] = await server.run(
      "select reloptions::text as options, (select attstorage from pg_attribute where attrelid = c.oid and attname = 'v') as storage from pg_class c where oid = 'upkeep.kv'::regclass",
    )
    assert.match(String(kv!['options']), /fillfactor=90,autovacuum_vacuum_scale_factor=0.02/)
    assert.equal(kv!['storage'], 'e')
  })

  it('takes the first of several hosts that may be written to', async () => {
    const nobody = await freePort()
    const connectionUrl = `postgres://postgres@127.0.0.1:${nobody},127.0.0.1:${server.port}/postgres?target_session_attrs=read-write`
    await works({ connectionUrl, schema: 'hosts' })
  })

  it('waits for a server that is starting', async () => {
    await server.halt('fast')
    const opening = openPostgresStore({ connectionUrl: server.url, processes: 1, waitMs: 30_000 })
    await server.start()
    const store = await opening
    assert.deepEqual(await texts(store, ['none']), [undefined])
    await store.close()
  })
})

describe('opening a standby', { skip }, () => {
  it('is refused', async (t) => {
    const server = await startPostgres()
    t.after(async () => server.stop())
    await server.halt('fast')
    server.makeStandby()
    await server.start()
    await refused({ connectionUrl: server.url }, /it is a standby/)
  })
})

describe('TLS to PostgreSQL', { skip }, () => {
  let server: TestPostgres
  let folder: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-pg-tls-'))
    const made = spawnSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
      ].concat(
        ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=db'],
        ['-addext', 'subjectAltName=DNS:localhost'],
      ),
      { cwd: folder, encoding: 'utf8' },
    )
    assert.equal(made.status, 0, made.stderr)
    server = await startPostgres([], {
      'server.crt': join(folder, 'cert.pem'),
      'server.key': join(folder, 'key.pem'),
      'pg_hba.conf': 'local all all trust\nhostssl all all all trust\n',
    })
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const open = async (host: string, query: string, options: Partial<PostgresOptions> = {}) => {
    const connectionUrl = `postgres://postgres@${host}:${server.port}/postgres${query}`
    const store = await openPostgresStore({ connectionUrl, waitMs: 100, ...options })
    await store.close()
  }

  it('takes it where it is offered, and insists and proves as told', async () => {
    const ca = join(folder, 'cert.pem')
    await open('127.0.0.1', '')
    await open('127.0.0.1', '?sslmode=require')
    await open('localhost', `?sslmode=verify-full&sslrootcert=${ca}`)
    await open('127.0.0.1', `?sslmode=verify-ca&sslrootcert=${ca}`)
    await open('127.0.0.1', '?sslmode=disable', { tls: { mode: 'verify-ca', caFile: ca } })
    await assert.rejects(open('127.0.0.1', '?sslmode=disable'), /no encryption/)
    await assert.rejects(open('localhost', '?sslmode=verify-full'), /self-signed/)
    await assert.rejects(open('127.0.0.1', '?sslmode=verify-ca'), /self-signed/)
    await assert.rejects(
      open('127.0.0.1', `?sslmode=verify-full&sslrootcert=${ca}`),
      /does not match certificate/,
    )
    await assert.rejects(
      open('127.0.0.1', '?sslmode=verify-ca&sslrootcert=/nowhere.pem'),
      /TLS file cannot be read: .*nowhere/,
    )
  })
})
