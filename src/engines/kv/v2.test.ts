import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stringifyJson } from '../../std/json.ts'
import { kv } from './index.ts'
import { engineHarness } from './testing.ts'

const v2 = () => engineHarness(kv(), { version: '2' })

const versionsOf = async ({ send }: ReturnType<typeof v2>, path: string) => {
  const { data } = await send('read', `metadata/${path}`)
  return {
    keys: Object.keys(data.versions),
    current: data.current_version,
    oldest: data.oldest_version,
  }
}

describe('kv version 2 data', () => {
  it('makes a version with each write and reads any of them', async () => {
    const { send, now } = v2()
    const created = new Date(now).toISOString().replace('.000Z', 'Z')
    const first = await send('update', 'data/a', { data: { v: 1 } })
    assert.deepEqual(first.data, {
      created_time: created,
      custom_metadata: null,
      deletion_time: '',
      destroyed: false,
      version: 1,
    })
    await send('update', 'data/a', { data: { v: 2 } })
    assert.deepEqual((await send('read', 'data/a')).data, {
      data: { v: 2 },
      metadata: { ...first.data, version: 2 },
    })
    assert.deepEqual((await send('read', 'data/a', { version: '1' })).data.data, { v: 1 })
    assert.deepEqual((await send('read', 'data/a', { version: '-1' })).data.data, { v: 2 })
    assert.equal((await send('read', 'data/a', { version: '3' })).status, 404)
    assert.equal((await send('read', 'data/none')).status, 404)
  })

  it('answers numbers as 64-bit floats and refuses those beyond them', async () => {
    const { send } = v2()
    await send('update', 'data/n', '{"data":{"big":12345678901234567890,"e":1e3,"f":1.50,"z":-0}}')
    const { data } = await send('read', 'data/n')
    assert.equal(stringifyJson(data.data), '{"big":12345678901234567000,"e":1000,"f":1.5,"z":-0}')
    const beyond = await send('update', 'data/n', '{"data":{"n":[1e999]}}')
    assert.equal(beyond.status, 400)
    assert.match(beyond.error!, /1e999 does not fit/)
    assert.equal((await send('read', 'data/n')).data.metadata.version, 1)
  })

  it('keeps members that name parts of a prototype, through patches too', async () => {
    const { send } = v2()
    await send('update', 'data/a', '{"data":{"__proto__":{"a":1},"constructor":1.50}}')
    await send('patch', 'data/a', '{"data":{"__proto__":{"b":2}}}')
    const read = await send('read', 'data/a')
    assert.equal(stringifyJson(read.data.data), '{"__proto__":{"a":1,"b":2},"constructor":1.5}')
    const names = await send('read', 'subkeys/a')
    assert.equal(
      stringifyJson(names.data.subkeys),
      '{"__proto__":{"a":null,"b":null},"constructor":null}',
    )
  })

  // Recorded: host/kv/v2-data 14-22.
  it('takes null and an empty list for data, and nothing else that is no object', async () => {
    const { send } = v2()
    assert.equal((await send('update', 'data/a', { data: null })).data.version, 1)
    assert.equal((await send('read', 'data/a')).data.data, null)
    assert.equal((await send('update', 'data/a', { data: [] })).data.version, 2)
    assert.equal((await send('update', 'data/a', {})).error, 'no data provided')
    assert.match((await send('update', 'data/a', { data: 'x' })).error!, /^error converting input/)
    const cas = await send('update', 'data/a', { data: {}, options: { cas: 'x' } })
    assert.equal(cas.error, 'error parsing check-and-set parameter')
  })

  it('lets one of many writers with the same check-and-set win', async () => {
    const { send } = v2()
    await send('update', 'data/a', { data: { by: 'before' } })
    const writers = Array.from({ length: 12 }, (_, by) =>
      send('update', 'data/a', { data: { by }, options: { cas: 1 } }),
    )
    const answers = await Promise.all(writers)
    const won = answers.flatMap(({ status }, by) => (status === 200 ? [by] : []))
    assert.equal(won.length, 1)
    for (const { status, error } of answers) {
      if (status !== 200) {
        assert.equal(error, 'check-and-set parameter did not match the current version')
      }
    }
    const read = await send('read', 'data/a')
    assert.equal(read.data.metadata.version, 2)
    assert.deepEqual(read.data.data, { by: won[0] })
  })

  it('gives every writer without check-and-set a version of its own', async () => {
    const harness = v2()
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) => harness.send('update', 'data/a', { data: { n } })),
    )
    const numbers = answers.map(({ data }) => data.version as number)
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
    for (const [n, { data }] of answers.entries()) {
      const read = await harness.send('read', 'data/a', { version: data.version })
      assert.deepEqual(read.data.data, { n })
    }
  })

  it('purges what exceeds the greater of the two limits, data included', async () => {
    const harness = v2()
    const { send, store } = harness
    const dataRecords = async () => {
      const range = { from: Buffer.from('kvv/'), to: Buffer.from('kvv0'), limit: 256 }
      return (await store.list(range, performance.now() + 1000)).items.length
    }
    for (let n = 1; n <= 12; n++) await send('update', 'data/a', { data: { n } })
    assert.equal((await versionsOf(harness, 'a')).oldest, 3)
    assert.equal((await versionsOf(harness, 'a')).keys.length, 10)
    assert.equal(await dataRecords(), 10)
    await send('update', 'metadata/a', { max_versions: 2 })
    assert.equal((await versionsOf(harness, 'a')).keys.length, 10)
    await send('update', 'data/a', { data: { n: 13 } })
    assert.deepEqual(await versionsOf(harness, 'a'), {
      keys: ['12', '13'],
      current: 13,
      oldest: 12,
    })
    assert.equal(await dataRecords(), 2)
    assert.equal((await send('read', 'data/a', { version: '11' })).status, 404)
  })

  it('removes data of many purged versions over several writes, and of a deleted secret altogether', async () => {
    const harness = v2()
    const { send, store } = harness
    const dataRecords = async () => {
      const range = { from: Buffer.from('kvv/'), to: Buffer.from('kvv0'), limit: 256 }
      return (await store.list(range, performance.now() + 1000)).items.length
    }
    await send('update', 'config', { max_versions: 200 })
    for (let n = 1; n <= 160; n++) await send('update', 'data/a', { data: { n } })
    assert.equal(await dataRecords(), 160)
    await send('update', 'config', { max_versions: 1 })
    for (const left of [97, 34, 1]) {
      await send('update', 'data/a', { data: {} })
      assert.deepEqual((await versionsOf(harness, 'a')).keys.length, 1)
      assert.equal(await dataRecords(), left)
    }
    await send('update', 'config', { max_versions: 200 })
    for (let n = 1; n <= 150; n++) await send('update', 'data/b', { data: { n } })
    assert.equal((await send('delete', 'metadata/b')).status, 204)
    assert.equal((await send('read', 'data/b')).status, 404)
    assert.equal(await dataRecords(), 1)
  })

  it('merges patches as RFC 7396 says', async () => {
    const { send } = v2()
    await send('update', 'data/p', { data: { keep: 1, drop: 2, obj: { in: 1, out: 2 } } })
    const patch = { drop: null, obj: { out: null, new: { deep: [1] } } }
    assert.equal((await send('patch', 'data/p', { data: patch })).data.version, 2)
    const read = await send('read', 'data/p')
    assert.equal(stringifyJson(read.data.data), '{"keep":1,"obj":{"in":1,"new":{"deep":[1]}}}')
    assert.deepEqual(await send('patch', 'data/none', { data: { a: 1 } }), { status: 404 })
  })

  it('loses no member when patches of one secret race', async () => {
    const { send } = v2()
    await send('update', 'data/p', { data: {} })
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => send('patch', 'data/p', { data: { [`m${n}`]: n } })),
    )
    const read = await send('read', 'data/p')
    assert.equal(read.data.metadata.version, 9)
    assert.equal(Object.keys(read.data.data).length, 8)
  })

  // Recorded: host/kv/v2-subkeys-patch 16, 27-30.
  it('refuses to patch what is deleted or null', async () => {
    const { send } = v2()
    await send('update', 'data/p', { data: { a: 1 } })
    await send('delete', 'data/p')
    const deleted = await send('patch', 'data/p', { data: { a: 2 } })
    assert.equal(deleted.status, 404)
    assert.equal(deleted.data.version, 1)
    await send('update', 'data/p', { data: { a: 1 } })
    assert.equal((await send('patch', 'data/p', { data: null })).data.version, 3)
    const onNull = await send('patch', 'data/p', { data: {} })
    assert.deepEqual(onNull, { status: 500, error: 'resource does not exist' })
  })

  it('shows the names in a secret down to a depth', async () => {
    const { send } = v2()
    await send('update', 'data/s', { data: { a: { b: { c: 1 }, e: [1] }, i: {} } })
    const at = async (depth: number) =>
      stringifyJson((await send('read', 'subkeys/s', { depth: String(depth) })).data.subkeys)
    assert.equal(await at(0), '{"a":{"b":{"c":null},"e":null},"i":null}')
    assert.equal(await at(1), '{"a":null,"i":null}')
    assert.equal(await at(2), '{"a":{"b":null,"e":null},"i":null}')
    assert.equal(await at(-1), '{"a":null,"i":null}')
  })

  // Recorded: host/http/path-spelling 2.
  it('finds the metadata but not the data of a path with a slash at its end', async () => {
    const { send } = v2()
    await send('update', 'data/a', { data: { a: 1 } })
    const read = await send('read', 'data/a/')
    assert.deepEqual(read, { status: 500, error: 'could not find version data' })
    assert.equal((await send('read', 'metadata/a/')).data.current_version, 1)
    assert.equal((await send('read', 'data/none/')).status, 404)
  })
})

describe('kv version 2 deletion', () => {
  it('deletes, undeletes and destroys versions', async () => {
    const { send } = v2()
    for (let n = 1; n <= 3; n++) await send('update', 'data/a', { data: { n } })
    await send('update', 'delete/a', { versions: [1, 99, -1, 0] })
    const gone = await send('read', 'data/a', { version: '1' })
    assert.equal(gone.status, 404)
    assert.equal(gone.data.data, null)
    assert.notEqual(gone.data.metadata.deletion_time, '')
    assert.equal((await send('read', 'data/a')).status, 200)

    await send('update', 'undelete/a', { versions: '1' })
    assert.deepEqual((await send('read', 'data/a', { version: '1' })).data.data, { n: 1 })

    await send('update', 'destroy/a', { versions: '1,2' })
    await send('update', 'undelete/a', { versions: [1] })
    const destroyed = await send('read', 'data/a', { version: '1' })
    assert.equal(destroyed.status, 404)
    assert.deepEqual(
      [destroyed.data.metadata.destroyed, destroyed.data.metadata.deletion_time],
      [true, ''],
    )
    assert.equal((await send('delete', 'data/a')).status, 204)
    assert.equal((await send('read', 'data/a')).status, 404)
    assert.equal((await send('read', 'metadata/a')).data.current_version, 3)
  })

  // Recorded: host/kv/v2-delete-undelete-destroy 19-36.
  it('wants version numbers', async () => {
    const { send } = v2()
    const none = 'No version number provided'
    assert.deepEqual(await send('update', 'delete/a', {}), { status: 400, error: none })
    assert.equal((await send('update', 'undelete/a', { versions: [] })).error, none)
    assert.equal((await send('update', 'destroy/a', {})).error, 'no version number provided')
    assert.equal(
      (await send('update', 'delete/a', { versions: 'x' })).error,
      `Field validation failed: error converting input for field "versions": decoding failed due to the following error(s):\n\n'[0]' cannot parse value as 'int': strconv.ParseInt: invalid syntax`,
    )
    assert.equal((await send('update', 'destroy/none', { versions: [1] })).status, 204)
  })

  it('deletes versions when their time has come, by the shorter setting, unless the mount forbids it', async () => {
    const harness = v2()
    const { send } = harness
    await send('update', 'config', { delete_version_after: '1h' })
    await send('update', 'metadata/a', { delete_version_after: '10m' })
    const made = await send('update', 'data/a', { data: { v: 1 } })
    assert.equal(made.data.deletion_time, '2026-01-02T03:14:05Z')
    assert.equal((await send('read', 'data/a')).status, 200)
    harness.now += 600_000
    assert.equal((await send('read', 'data/a')).status, 404)
    await send('update', 'undelete/a', { versions: [1] })
    const again = await send('read', 'data/a')
    assert.equal(again.data.metadata.deletion_time, '2026-01-02T03:24:05Z')

    await send('update', 'config', { delete_version_after: '-1s' })
    assert.equal((await send('read', 'config')).data.delete_version_after, '-1s')
    assert.equal((await send('update', 'data/a', { data: {} })).data.deletion_time, '')
  })

  it('starts numbering anew after the metadata is deleted, and finds none of the old data', async () => {
    const { send } = v2()
    await send('update', 'data/f/a', { data: { secret: 1 } })
    await send('update', 'data/f/a', { data: { secret: 2 } })
    assert.equal((await send('delete', 'metadata/f/a')).status, 204)
    assert.equal((await send('list', 'metadata')).status, 404)
    assert.equal((await send('delete', 'metadata/f/a')).status, 204)
    const again = await send('update', 'data/f/a', { data: {}, options: { cas: 0 } })
    assert.equal(again.data.version, 1)
    assert.equal((await send('read', 'data/f/a', { version: '2' })).status, 404)
  })
})

describe('kv version 2 metadata', () => {
  it('changes what is sent, counts writes, and counts nothing when nothing is sent', async () => {
    const { send } = v2()
    const sent = {
      max_versions: 2,
      custom_metadata: { owner: 'me', n: 1, b: true },
      delete_version_after: '1h',
    }
    assert.equal((await send('update', 'metadata/m', sent)).status, 204)
    assert.equal((await send('update', 'metadata/m', {})).status, 204)
    await send('update', 'metadata/m', { max_versions: -1 })
    const { data } = await send('read', 'metadata/m')
    assert.equal(data.current_metadata_version, 2)
    assert.equal(data.max_versions, 4_294_967_295)
    assert.equal(data.delete_version_after, '1h0m0s')
    assert.deepEqual({ ...data.custom_metadata }, { owner: 'me', n: '1', b: '1' })
    assert.deepEqual(data.versions, {})
    assert.equal((await send('read', 'data/m')).status, 404)
    assert.deepEqual((await send('list', 'metadata')).data.keys, ['m'])
  })

  // Recorded: host/kv/v2-metadata 11-18, 28-33.
  it('checks and merges custom metadata', async () => {
    const { send } = v2()
    const write = async (custom_metadata: unknown) =>
      (await send('update', 'metadata/m', { custom_metadata })).error
    assert.equal(
      await write({ a: { b: 'c' } }),
      `custom_metadata validation failed: '' expected type 'string', got unconvertible type 'map[string]interface {}'`,
    )
    assert.equal(
      await write({ k: '', ['x'.repeat(129)]: 'v' }),
      '2 errors occurred:\n\t* custom_metadata validation failed: length of value for key "k" is 0 but must be 0 < len(value) <= 512\n' +
        `\t* custom_metadata validation failed: length of key "${'x'.repeat(129)}" is 129 but must be 0 < len(key) <= 128\n\n`,
    )
    assert.match((await write({ 'a\u0000': 'v' }))!, /contains unprintable characters/)
    assert.equal((await send('read', 'metadata/m')).status, 404)

    await write({ owner: 'me' })
    await send('patch', 'metadata/m', { custom_metadata: { owner: 'you', x: 'y' } })
    await send('patch', 'metadata/m', { custom_metadata: { x: null } })
    const { data } = await send('read', 'metadata/m')
    assert.deepEqual({ ...data.custom_metadata }, { owner: 'you' })
    assert.equal(data.current_metadata_version, 3)
    const wrong = await send('patch', 'metadata/m', { custom_metadata: { a: 1 } })
    assert.deepEqual(wrong, {
      status: 500,
      error:
        'json: cannot unmarshal number into Go struct field KeyMetadata.custom_metadata of type string',
    })
    assert.deepEqual(await send('patch', 'metadata/none', { max_versions: 1 }), { status: 404 })
  })

  it('resets with null in a patch', async () => {
    const { send } = v2()
    const sent = {
      max_versions: 4,
      cas_required: true,
      delete_version_after: '5m',
      custom_metadata: { a: 'b' },
    }
    await send('update', 'metadata/m', sent)
    const nulls = {
      max_versions: null,
      cas_required: null,
      delete_version_after: null,
      custom_metadata: null,
    }
    assert.equal((await send('patch', 'metadata/m', nulls)).status, 204)
    const { data } = await send('read', 'metadata/m')
    assert.deepEqual(
      [data.max_versions, data.cas_required, data.delete_version_after, data.custom_metadata],
      [0, false, '0s', null],
    )
  })

  // Recorded: host/kv/v2-metadata-cas.
  it('checks the version of the metadata', async () => {
    const { send } = v2()
    const write = async (body: object, verb: 'update' | 'patch' = 'update') =>
      (await send(verb, 'metadata/a', { custom_metadata: { v: '1' }, ...body })).error
    assert.equal(
      await write({ metadata_cas: 1 }),
      'metadata_cas must be 0 when creating new metadata',
    )
    assert.equal(await write({ metadata_cas: 0, metadata_cas_required: true }), undefined)
    const mismatch = 'metadata check-and-set parameter does not match the current version'
    assert.equal(await write({ metadata_cas: 0 }), mismatch)
    assert.equal(await write({ metadata_cas: 2 }, 'patch'), mismatch)
    const required = 'metadata check-and-set parameter required for this call'
    assert.equal(await write({}), required)
    assert.equal(await write({}, 'patch'), required)
    const racers = await Promise.all(Array.from({ length: 6 }, () => write({ metadata_cas: 1 })))
    assert.equal(racers.filter((error) => error === undefined).length, 1)
  })

  it('warns of settings that the mount outweighs', async () => {
    const { send } = v2()
    await send('update', 'config', { cas_required: true })
    assert.deepEqual((await send('update', 'metadata/a', { cas_required: false })).warnings, [
      '"cas_required" set to false, but is mandated by backend config. This value will be ignored.',
    ])
    const write = await send('update', 'data/a', { data: {} })
    assert.equal(write.error, 'check-and-set parameter required for this call')
  })

  it('lists one folder, or all below, with or without metadata', async () => {
    const { send } = v2()
    for (const path of ['b', 'a', 'c/d', 'c/e/f'])
      await send('update', `data/${path}`, { data: {} })
    const keys = async (verb: 'list' | 'scan', path: string, page?: object) =>
      (await send(verb, path, page)).data?.keys
    assert.deepEqual(await keys('list', 'metadata'), ['a', 'b', 'c/'])
    assert.deepEqual(await keys('list', 'metadata/c'), ['d', 'e/'])
    assert.deepEqual(await keys('list', 'metadata', { after: 'a', limit: '1' }), ['b'])
    assert.equal((await send('list', 'metadata', { after: 'zz' })).status, 404)
    assert.deepEqual(await keys('scan', 'metadata/c'), ['d', 'e/f'])
    assert.deepEqual((await send('scan', 'metadata/none')).data, {})
    const detailed = await send('list', 'detailed-metadata/c')
    assert.deepEqual(detailed.data.keys, ['d', 'e/'])
    assert.deepEqual(detailed.data.key_info['e/'], {})
    assert.equal(detailed.data.key_info['d'].current_version, 1)
    assert.deepEqual(await keys('scan', 'detailed-metadata'), ['a', 'b', 'c/d', 'c/e/f'])
  })
})

describe('kv version 2 paths', () => {
  // Recorded: host/kv/v2-wrong-paths, host/http/paths 11-18.
  it('tells of paths that it does not serve', async () => {
    const { send } = v2()
    const said = async (verb: Parameters<typeof send>[0], path: string) => {
      const { status, error, data, warnings } = await send(
        verb,
        path,
        verb === 'update' ? { data: {} } : undefined,
      )
      if (error !== undefined || data === undefined) return `${status} ${error ?? ''}`.trim()
      return `${status} ${/'bao kv (\w+)'/.exec(warnings![0]!)?.[1] ?? warnings![0]!.slice(0, 11)}`
    }
    for (const path of ['', 'x', 'x/y', 'config/', 'config/x', 'subkeys', 'detailed-metadata']) {
      assert.equal(await said('read', path), '404 get', path)
    }
    for (const path of ['data', 'delete', 'destroy', 'metadata', 'undelete']) {
      assert.equal(await said('read', path), '404 Non-listing', path)
      assert.equal(await said('update', path), '404 Non-listing', path)
      assert.equal(await said('delete', path), '404 Non-listing', path)
    }
    assert.equal(await said('update', 'x'), '404 put')
    assert.equal(await said('patch', 'x'), '404 patch')
    assert.equal(await said('list', 'config'), '404 list')
    assert.equal(await said('list', ''), '404 list')
    assert.equal(await said('scan', 'x'), '404 scan')
    assert.equal(await said('read', 'data/'), '404')
    for (const path of ['data', 'delete/x', 'subkeys']) {
      assert.equal(await said('list', path), '405 unsupported operation', path)
    }
    assert.equal(await said('read', 'undelete/x'), '405 unsupported operation')
    assert.equal(await said('read', 'detailed-metadata/a'), '405 unsupported operation')
    assert.equal(await said('delete', 'config'), '405 unsupported operation')
  })
})

describe('a mount turned from version 1 to 2', () => {
  // Recorded: host/kv/v1-tuned 11-18.
  it('reads its secrets as version 1 and goes on from there', async () => {
    const before = engineHarness(kv())
    await before.send('update', 'a', '{"v":1.50}')
    await before.send('update', 'd/e', { v: 2 })
    const harness = before.withOptions({ version: '2' })
    const { send } = harness
    assert.deepEqual((await send('list', 'metadata')).data.keys, ['a', 'd/'])
    const read = await send('read', 'data/a')
    assert.deepEqual([{ ...read.data.data }, read.data.metadata.version], [{ v: 1.5 }, 1])
    const { data } = await send('read', 'metadata/a')
    assert.deepEqual(
      [data.current_version, data.oldest_version, data.current_metadata_version],
      [1, 1, 0],
    )
    assert.equal((await send('update', 'data/a', { data: { v: 3 } })).data.version, 2)
    assert.deepEqual({ ...(await send('read', 'data/a', { version: '1' })).data.data }, { v: 1.5 })

    await send('update', 'destroy/d/e', { versions: [1] })
    assert.equal((await send('read', 'data/d/e')).data.metadata.destroyed, true)
    await send('delete', 'metadata/d/e')
    assert.deepEqual((await send('list', 'metadata')).data.keys, ['a'])
  })
})
