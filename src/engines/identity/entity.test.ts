import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withFaults } from '../../storage/faults/fault-store.ts'
import type { Harness, SeenCommit } from './testing.ts'
import { census, createHarness, watchCommits } from './testing.ts'

const create = async (harness: Harness, name: string): Promise<string> =>
  (await harness.request('update', 'entity', { name })).data['id']

const link = async (
  harness: Harness,
  name: string,
  accessor: string,
  entityId: string,
): Promise<string> => {
  const made = await harness.request('update', 'entity-alias', {
    name,
    mount_accessor: accessor,
    canonical_id: entityId,
  })
  assert.equal(made.status, 200, made.error)
  return made.data['id']
}

const codes = ({ hints }: { readonly hints: readonly { readonly code: string }[] }) =>
  hints.map(({ code }) => code)

describe('deleting an entity', () => {
  it('takes name, aliases and memberships with it in one commit', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const mount = await harness.mounts.enable('auth/userpass/')
    const { entityId } = await harness.login(mount, 'kim')
    await harness.request('update', 'group', { name: 'crew', member_entity_ids: [entityId] })
    commits.length = 0
    assert.equal((await harness.request('delete', `entity/id/${entityId}`)).status, 204)
    assert.deepEqual(
      commits.map(({ written }) => [...written].sort()),
      [['a', 'al', 'an', 'e', 'em', 'en', 'g', 'gk', 'gm']],
    )
    assert.deepEqual(await census(harness.store), { 'test-mount': 1, g: 1, gk: 1, gn: 1 })
    assert.deepEqual(
      (await harness.request('read', 'group/name/crew')).data['member_entity_ids'],
      [],
    )
  })

  /** An entity with more aliases and groups than one commit can take along. */
  const crowded = async (harness: Harness) => {
    const entityId = await create(harness, 'kim')
    const accessors: string[] = []
    for (let index = 0; index < 90; index++) {
      const { accessor } = await harness.mounts.enable(`auth/m${index}/`)
      accessors.push(accessor)
      await link(harness, `kim-${index}`, accessor, entityId)
    }
    for (let index = 0; index < 80; index++) {
      await harness.request('update', 'group', {
        name: `group-${index}`,
        member_entity_ids: [entityId],
      })
    }
    return { entityId, accessors }
  }

  it('with very many aliases and groups leaves nothing behind', async () => {
    const harness = createHarness()
    const { entityId } = await crowded(harness)
    assert.equal((await harness.request('delete', `entity/id/${entityId}`)).status, 204)
    assert.deepEqual(await census(harness.store), { 'test-mount': 90, g: 80, gk: 80, gn: 80 })
  })

  it('that is cut off after its first commit leaves aliases that neither resolve nor block', async () => {
    let commitsLeft = Infinity
    const harness = createHarness((store) =>
      withFaults(store, ({ operation }) =>
        operation === 'commit' && commitsLeft-- <= 0 ? { fails: 'unavailable' } : undefined,
      ),
    )
    const { entityId, accessors } = await crowded(harness)
    const aliasIds: readonly string[] = (await harness.request('list', 'entity-alias/id')).data[
      'keys'
    ]
    commitsLeft = 1
    assert.equal((await harness.request('delete', `entity/id/${entityId}`)).status, 503)
    commitsLeft = Infinity
    assert.ok((await census(harness.store))['a']! > 0, 'aliases are left behind')

    assert.equal(await harness.subject(entityId), undefined)
    assert.equal((await harness.request('list', 'entity-alias/id')).status, 404)
    for (const id of aliasIds.slice(-3)) {
      assert.equal((await harness.request('read', `entity-alias/id/${id}`)).status, 404)
      assert.equal((await harness.request('delete', `entity-alias/id/${id}`)).status, 204)
      assert.equal(
        (await harness.request('update', `entity-alias/id/${id}`, { name: 'x' })).error,
        'invalid alias ID provided',
      )
    }
    const last = (await harness.mounts.byAccessor(accessors[89]!))!
    assert.equal((await harness.login(last, 'kim-89')).created, true)
    const next = await create(harness, 'kim')
    await link(harness, 'kim-88', accessors[88]!, next)
    assert.equal(
      (await harness.login((await harness.mounts.byAccessor(accessors[88]!))!, 'kim-88')).entityId,
      next,
    )

    // Deleting it again takes it out of the groups that still list it.
    assert.equal((await harness.request('delete', `entity/id/${entityId}`)).status, 204)
    for (let index = 0; index < 80; index += 13) {
      const group = await harness.request('read', `group/name/group-${index}`)
      assert.deepEqual(group.data['member_entity_ids'], [])
    }
  })

  it('several at once is all or nothing', async () => {
    const harness = createHarness()
    const { entityId } = await crowded(harness)
    const other = await create(harness, 'other')
    const refused = await harness.request('update', 'entity/batch-delete', {
      entity_ids: [other, entityId],
    })
    assert.equal(refused.status, 400)
    assert.equal((await harness.request('list', 'entity/id')).data['keys'].length, 2)
    const many = await harness.request('update', 'entity/batch-delete', {
      entity_ids: Array.from({ length: 201 }, (_, index) => `id-${index}`),
    })
    assert.equal(many.status, 400)
    const named = await harness.request('update', 'entity/batch-delete', {
      entity_ids: ['Other', 'nobody'],
    })
    assert.equal(named.status, 204)
    assert.deepEqual(codes(named), ['name-for-id'])
    assert.ok(named.hints[0]!.text.includes(other))
  })
})

describe('writing an entity', () => {
  it('changes nothing when it is refused', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const kim = await create(harness, 'kim')
    await create(harness, 'lou')
    commits.length = 0
    const answers = [
      await harness.request('update', `entity/id/${kim}`, { name: 'LOU', policies: ['p'] }),
      await harness.request('update', `entity/id/${kim}`, { policies: ['p', 'Root'] }),
      await harness.request('update', `entity/id/${kim}`, { metadata: { 'vault-x': '1' } }),
      await harness.request('update', 'entity/name/new', { metadata: { '': '1' } }),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 500, 500],
    )
    assert.equal(commits.length, 0)
  })

  it('keeps hostile names apart and finds each again', async () => {
    const harness = createHarness()
    const names = [
      'a',
      'a ',
      'a/b',
      'a\u0000b',
      'A\u030a',
      '\u00c5',
      '__proto__',
      '..',
      'x'.repeat(10_000),
    ]
    const ids = new Map<string, string>()
    for (const name of names) ids.set(name, await create(harness, name))
    assert.equal(new Set(ids.values()).size, names.length)
    for (const [name, id] of ids) {
      assert.equal((await harness.request('read', `entity/name/${name}`)).data['id'], id)
    }
  })

  it('hints at what new metadata replaced, and at a name where an id is wanted', async () => {
    const harness = createHarness()
    const kim = await create(harness, 'kim')
    await harness.request('update', `entity/id/${kim}`, { metadata: { dept: 'it', desk: '4' } })
    const replaced = await harness.request('update', 'entity/name/kim', {
      metadata: { desk: '5', team: 'db' },
    })
    assert.deepEqual(codes(replaced), ['metadata-replaced'])
    assert.match(replaced.hints[0]!.text, /"dept" removed/)
    const kept = await harness.request('update', 'entity/name/kim', {
      metadata: { desk: '5', team: 'db', more: 'x' },
    })
    assert.deepEqual(codes(kept), [])
    for (const answer of [
      await harness.request('read', 'entity/id/kim'),
      await harness.request('update', 'entity/id/kim', {}),
      await harness.request('delete', 'entity/id/kim'),
      await harness.request('update', 'lookup/entity', { id: 'Kim' }),
      await harness.request('update', 'entity/merge', {
        to_entity_id: 'kim',
        from_entity_ids: [kim],
      }),
      await harness.request('update', 'group', { name: 'g', member_entity_ids: ['kim'] }),
    ]) {
      assert.deepEqual(codes(answer), ['name-for-id'])
      assert.ok(answer.hints[0]!.text.includes(kim))
    }
  })

  it('keeps metadata keys that objects have already', async () => {
    const harness = createHarness()
    const metadata = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}') as Record<
      string,
      string
    >
    await harness.request('update', 'entity', { name: 'kim', metadata })
    const read = await harness.request('read', 'entity/name/kim')
    assert.equal(
      JSON.stringify(read.data['metadata']),
      '{"__proto__":"p","constructor":"c","toString":"t"}',
    )
  })
})

describe('merging', () => {
  it('drops the alias that gives way: it frees its name at once', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    const to = await create(harness, 'to')
    const from = await create(harness, 'from')
    const own = await link(harness, 'own', mount.accessor, to)
    const coming = await link(harness, 'coming', mount.accessor, from)
    const merged = await harness.request('update', 'entity/merge', {
      to_entity_id: to,
      from_entity_ids: [from],
      conflicting_alias_ids_to_keep: [coming],
    })
    assert.equal(merged.status, 204)
    assert.equal((await harness.request('read', `entity-alias/id/${own}`)).status, 404)
    assert.equal((await harness.login(mount, 'coming')).entityId, to)
    const stranger = await harness.login(mount, 'own')
    assert.equal(stranger.created, true)
    // Reads of the entity show what was dropped until the entity is next written (recorded); nothing else changes then.
    const shown = async (): Promise<readonly string[]> =>
      (await harness.request('read', `entity/id/${to}`)).data['aliases'].map(
        (alias: { readonly name: string }) => alias.name,
      )
    assert.deepEqual(await shown(), ['own', 'coming'])
    await harness.request('update', `entity/id/${to}`, {})
    assert.deepEqual(await shown(), ['coming'])
    assert.equal((await harness.login(mount, 'own')).entityId, stranger.entityId)
    assert.equal((await harness.login(mount, 'coming')).entityId, to)
  })

  it('compares sources with each other only when the target has aliases', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    const other = await harness.mounts.enable('auth/other/')
    const to = await create(harness, 'to')
    const one = await create(harness, 'one')
    const two = await create(harness, 'two')
    await link(harness, 'one', mount.accessor, one)
    await link(harness, 'two', mount.accessor, two)
    const alias = await link(harness, 'to', other.accessor, to)
    const request = { to_entity_id: to, from_entity_ids: [one, two] }
    const refused = await harness.request('update', 'entity/merge', request)
    assert.equal(
      refused.error,
      `mount accessor ${mount.accessor} found in multiple fromEntities, merge should be done with one fromEntity at a time`,
    )
    await harness.request('delete', `entity-alias/id/${alias}`)
    assert.equal((await harness.request('update', 'entity/merge', request)).status, 204)
    const read = await harness.request('read', `entity/id/${to}`)
    assert.deepEqual(read.data['merged_entity_ids'], [one, two])
  })

  it('of more than a commit holds is refused and changes nothing', async () => {
    const harness = createHarness()
    const to = await create(harness, 'to')
    const from: string[] = []
    for (let index = 0; index < 50; index++) from.push(await create(harness, `from-${index}`))
    for (let index = 0; index < 12; index++) {
      await harness.request('update', 'group', { name: `g${index}`, member_entity_ids: from })
    }
    const refused = await harness.request('update', 'entity/merge', {
      to_entity_id: to,
      from_entity_ids: from,
    })
    assert.equal(refused.status, 400)
    assert.match(refused.error, /too much at once/)
    assert.equal((await harness.request('list', 'entity/id')).data['keys'].length, 51)
  })
})

describe('aliases', () => {
  it('hint at mounts that nobody logs in through, and at paths and names in place of ids', async () => {
    const harness = createHarness()
    const kv = await harness.mounts.enable('secret/', 'kv')
    const token = await harness.mounts.enable('auth/token/', 'token')
    const mount = await harness.mounts.enable('auth/userpass/')
    const kim = await create(harness, 'kim')
    const alias = (body: Readonly<Record<string, string>>) =>
      harness.request('update', 'entity-alias', body)
    const onKv = await alias({ name: 'a', mount_accessor: kv.accessor })
    const onToken = await alias({ name: 'b', mount_accessor: token.accessor })
    assert.deepEqual([onKv.status, onToken.status], [200, 200])
    assert.deepEqual(
      [codes(onKv), codes(onToken)],
      [['alias-mount-cannot-log-in'], ['alias-mount-cannot-log-in']],
    )
    assert.deepEqual(codes(await alias({ name: 'c', mount_accessor: mount.accessor })), [])
    for (const path of ['userpass', 'userpass/', 'auth/userpass/']) {
      const refused = await alias({ name: 'd', mount_accessor: path })
      assert.equal(refused.error, `invalid mount accessor "${path}"`)
      assert.deepEqual(codes(refused), ['path-for-accessor'])
      assert.ok(refused.hints[0]!.text.includes(mount.accessor))
    }
    const named = await alias({
      name: 'd',
      mount_accessor: mount.accessor,
      canonical_id: 'kim',
    })
    assert.equal(named.error, 'invalid canonical ID')
    assert.deepEqual(codes(named), ['name-for-id'])
    assert.ok(named.hints[0]!.text.includes(kim))
  })

  it('of local mounts stay with their entity', async () => {
    const harness = createHarness()
    const local = await harness.mounts.enable('auth/local/', 'userpass', true)
    const { entityId } = await harness.login(local, 'kim', { metadata: { a: 'b' } })
    const other = await create(harness, 'other')
    const [alias] = (await harness.request('read', `entity/id/${entityId}`)).data['aliases']
    assert.equal(alias.local, true)
    const moved = await harness.request('update', `entity-alias/id/${alias.id}`, {
      canonical_id: other,
    })
    assert.equal(moved.error, "local aliases can't be moved between entities")
  })

  it('on a mount that is gone can be read and deleted, not moved', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    const { entityId } = await harness.login(mount, 'kim')
    const other = await create(harness, 'other')
    await harness.mounts.disable(mount)
    const [alias] = (await harness.request('read', `entity/id/${entityId}`)).data['aliases']
    assert.equal(alias.mount_accessor, mount.accessor)
    assert.equal(Object.hasOwn(alias, 'mount_path'), false)
    const moved = await harness.request('update', `entity-alias/id/${alias.id}`, {
      canonical_id: other,
    })
    assert.deepEqual(
      [moved.status, moved.error],
      [500, `invalid mount accessor "${mount.accessor}"`],
    )
    assert.equal((await harness.request('delete', `entity-alias/id/${alias.id}`)).status, 204)
    assert.equal((await harness.request('list', 'entity-alias/id')).status, 404)
  })

  it('report every fault of custom metadata and change nothing', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    const refused = await harness.request('update', 'entity-alias', {
      name: 'kim',
      mount_accessor: mount.accessor,
      custom_metadata: { a: '', 'b\u0007': 'x' },
    })
    assert.equal(refused.status, 500)
    assert.match(refused.error, /^2 errors occurred:\n\t\* custom_metadata validation failed: /)
    assert.equal((await harness.request('list', 'entity/id')).status, 404)
  })
})
