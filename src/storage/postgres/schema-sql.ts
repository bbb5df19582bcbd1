/** What the database holds at this version of Signet; the migrations of schema.ts lead here. */
export const SCHEMA_VERSION = 3

/** Stripes of the advisory locks (architecture.md D2). All nodes must agree on it and on `stripeOf`: a change is a new schema version. */
export const STRIPES = 4096

/** A schema's name as it stands in SQL. Throws an Error unless it is a plain lower-case name. */
export const quoteSchema = (schema: string): string => {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_')) {
    throw new Error(
      `the schema must be a name of a-z, 0-9 and _ that does not begin with pg_, not ${JSON.stringify(schema)}`,
    )
  }
  return `"${schema}"`
}

/** Milliseconds of the database's clock. */
const NOW = 'floor(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::bigint'

/**
 * The functions see names of the catalogue only, and never scan the table: their plans are kept, and one made while the
 * table was small must not outlive that.
 */
const SETTINGS = `
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_mergejoin = off
  set jit = off`

const tables = (s: string): string => `
create table ${s}.kv (
  k bytea not null primary key,
  v bytea not null,
  ver bigint not null
) with (
  fillfactor = 90,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_insert_scale_factor = 0.1,
  toast.autovacuum_vacuum_scale_factor = 0.02
);
-- What is sealed does not compress.
alter table ${s}.kv alter column v set storage external;

-- One row for each transaction that wrote: its fate, for whoever lost the answer (architecture.md A5). stale holds the
-- numbers of the checks that failed; null marks a transaction that was given up and may not happen any more.
create table ${s}.commits (
  id uuid not null primary key,
  at timestamptz not null,
  stale integer[]
) with (autovacuum_vacuum_scale_factor = 0.02);
`

/**
 * Many commits in one transaction, each judged by itself, later ones seeing earlier ones (architecture.md D1, D3).
 * p_locks: stripe * 2, plus 1 to write, ascending. p_keys: the distinct checked keys. *_ends: where each commit's part of
 * the flat arrays ends. *_slots: numbers of keys, from 1, those of p_keys first; p_slots counts them all.
 */
const commitMany = (s: string): string => `
create or replace function ${s}.kv_commit_many(
  p_id uuid, p_lock_ms integer, p_locks integer[], p_keys bytea[], p_slots integer, p_versions bigint[],
  p_check_ends integer[], p_check_slots integer[], p_check_versions bigint[],
  p_write_ends integer[], p_write_slots integer[], p_write_keys bytea[], p_write_values bytea[],
  out out_now bigint, out out_stale integer[]
) language plpgsql volatile ${SETTINGS}
as $body$
declare
  current bigint[];
  checked integer := coalesce(array_length(p_keys, 1), 0);
  last integer[] := array_fill(0, array[p_slots]);
  effective bigint[] := array_fill(null::bigint, array[coalesce(array_length(p_write_slots, 1), 0)]);
  check_at integer := 0;
  write_at integer := 0;
  wrote boolean := false;
  good boolean;
  slot integer;
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply')
     or current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'this session commits asynchronously or does not read afresh' using errcode = 'SG001';
  end if;
  perform set_config('lock_timeout', p_lock_ms::text, true);
  -- A restore locks the table: what was checked before it must not be written after it (replacement.ts).
  lock table ${s}.kv in row exclusive mode;
  perform case when l & 1 = 1
      then pg_advisory_xact_lock('${s}.kv'::regclass::oid::integer, l >> 1)
      else pg_advisory_xact_lock_shared('${s}.kv'::regclass::oid::integer, l >> 1)
    end from unnest(p_locks) as l;
  -- A statement after the locks: its snapshot has everything that their former holders committed.
  select array_agg(coalesce(t.ver, 0) order by w.i) into current
    from unnest(p_keys) with ordinality as w(k, i) left join ${s}.kv as t on t.k = w.k;
  out_stale := '{}';
  for c in 1 .. array_length(p_versions, 1) loop
    good := true;
    while check_at < p_check_ends[c] loop
      check_at := check_at + 1;
      if current[p_check_slots[check_at]] <> p_check_versions[check_at] then
        out_stale := out_stale || check_at;
        good := false;
      end if;
    end loop;
    if not good then
      write_at := p_write_ends[c];
    end if;
    while write_at < p_write_ends[c] loop
      write_at := write_at + 1;
      slot := abs(p_write_slots[write_at]);
      if last[slot] > 0 then
        effective[last[slot]] := null;
      end if;
      last[slot] := write_at;
      effective[write_at] := p_versions[c];
      if slot <= checked then
        current[slot] := case when p_write_slots[write_at] < 0 then 0 else p_versions[c] end;
      end if;
      wrote := true;
    end loop;
  end loop;
  if wrote then
    insert into ${s}.kv as t (k, v, ver)
      select w.k, w.v, w.ver from unnest(p_write_keys, p_write_values, effective) as w(k, v, ver)
      where w.ver is not null and w.v is not null
      on conflict (k) do update set v = excluded.v, ver = excluded.ver;
    if 0 > any(p_write_slots) then
      delete from ${s}.kv as t using unnest(p_write_keys, p_write_values, effective) as w(k, v, ver)
        where t.k = w.k and w.ver is not null and w.v is null;
    end if;
    -- Fails, and undoes everything, if this transaction was given up meanwhile.
    insert into ${s}.commits (id, at, stale) values (p_id, clock_timestamp(), out_stale);
  end if;
  out_now := ${NOW};
end
$body$;
`

/**
 * The fate of a transaction whose answer was lost: its stale checks, or null after making sure that it never happens.
 * Waits for it if it is still at it. Always writes, so that with a synchronous standby the answer is as durable as what it tells.
 */
const settle = (s: string): string => `
create function ${s}.kv_settle(p_id uuid, p_lock_ms integer, out out_now bigint, out out_stale integer[])
language plpgsql volatile ${SETTINGS}
as $body$
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply')
     or current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'this session commits asynchronously or does not read afresh' using errcode = 'SG001';
  end if;
  perform set_config('lock_timeout', p_lock_ms::text, true);
  insert into ${s}.commits as c (id, at) values (p_id, clock_timestamp())
    on conflict (id) do update set at = excluded.at
    returning c.stale into out_stale;
  out_now := ${NOW};
end
$body$;
`

/**
 * The floor of the clock: what the server told of the time, a second ago at most. A sequence, since it is one row that is changed in
 * its place: a backup that runs for hours does not leave thousands of dead ones behind. It outlives restores, which replace rows.
 */
const clockFloor = (s: string): string => `
create sequence ${s}.clock as bigint minvalue 0 start 0;

-- Roles of their own may use it as they may use the tables.
do $body$
declare
  role text;
begin
  for role in
    select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
    from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as a
    where c.oid = '${s}.commits'::regclass and a.privilege_type = 'UPDATE' and a.grantee <> c.relowner
  loop
    execute 'grant select, update on sequence ${s}.clock to ' || role;
  end loop;
end
$body$;

-- The store's time, not behind the floor nor what the caller knows, and the floor. Moves that on where it is older than
-- p_step_ms, and then comes back once that is durable; one caller does, the others go past.
create function ${s}.clock_move(p_known bigint, p_step_ms integer, out out_now bigint, out out_floor bigint)
language plpgsql volatile ${SETTINGS}
as $body$
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    raise exception 'this session commits asynchronously' using errcode = 'SG001';
  end if;
  select greatest(last_value, p_known, ${NOW}), last_value into out_now, out_floor from ${s}.clock;
  if out_now < out_floor + p_step_ms or not pg_try_advisory_xact_lock('${s}.clock'::regclass::oid::integer, 0) then
    return;
  end if;
  -- Behind the lock once more: a sequence can be set back.
  select greatest(last_value, out_now) into out_now from ${s}.clock;
  out_floor := setval('${s}.clock', out_now);
end
$body$;
`

/** Every step from an empty database to SCHEMA_VERSION; the first leads to version 1. */
export const migrations: readonly ((schema: string) => string)[] = [
  (s) => tables(s) + commitMany(s) + settle(s),
  // Takes the lock of the table before it looks.
  commitMany,
  clockFloor,
]

/** The statements of a store in a schema (quoted). */
export const statements = (s: string) => ({
  /** $1 keys wanted with values, $2 keys whose versions are wanted. The row without a key is always there. */
  read: `
select null::bytea, ${NOW}, null::bytea, pg_is_in_recovery()
union all select k, ver, v, null from ${s}.kv where k = any($1::bytea[])
union all select k, ver, null, null from ${s}.kv where k = any($2::bytea[])`,
  /** $1 from, $2 to, $3 limit, $4 a key whose version is wanted, or null; $5 bytes of a page. One row without a key if there is nothing. */
  list: `
select h.now, h.standby, h.witness, p.k, p.ver, p.v, p.found
from (
  select ${NOW} as now, pg_is_in_recovery() as standby,
    (select ver from ${s}.kv where k = $4::bytea) as witness
) as h
left join (
  select k, ver, v,
    row_number() over w as number,
    count(*) over () as found,
    sum(octet_length(k) + octet_length(v)) over w as bytes
  from (
    select k, ver, v from ${s}.kv where k >= $1::bytea and k < $2::bytea order by k limit $3::integer
  ) as r
  window w as (order by k rows unbounded preceding)
) as p on p.number = 1 or p.bytes <= $5::integer
order by p.k`,
  /** As list, without values and without their bytes. */
  listKeys: `
select h.now, h.standby, h.witness, p.k, p.ver, null::bytea
from (
  select ${NOW} as now, pg_is_in_recovery() as standby,
    (select ver from ${s}.kv where k = $4::bytea) as witness
) as h
left join (
  select k, ver from ${s}.kv where k >= $1::bytea and k < $2::bytea order by k limit $3::integer
) as p on true
order by p.k`,
  commitMany: `
select out_now, out_stale from ${s}.kv_commit_many(
  $1::uuid, $2::integer, $3::integer[], $4::bytea[], $5::integer, $6::bigint[],
  $7::integer[], $8::integer[], $9::bigint[],
  $10::integer[], $11::integer[], $12::bytea[], $13::bytea[])`,
  settle: `select out_now, out_stale from ${s}.kv_settle($1::uuid, $2::integer)`,
  /** $1 the time as far as it is known, $2 how old the floor may be, in ms. */
  clock: `select out_now, out_floor from ${s}.clock_move($1::bigint, $2::integer)`,
  /** $1: ids below it are old by the time in them; $2 how many at most. */
  prune: `
with old as (
  select id from ${s}.commits
  where id < $1::uuid and at < clock_timestamp() - interval '1 hour'
  order by id limit $2::integer for update skip locked
), gone as (
  delete from ${s}.commits as c using old where c.id = old.id returning 1
)
select count(*) from gone`,
})
