import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { Refusal } from '../../engine/refusal.ts'
import { activityRef } from './entity-record.ts'
import type { SeenCommit } from './testing.ts'
import { ROOT, createHarness, watchCommits } from './testing.ts'

const DAY = 86_400_000

const watched = async () => {
  const commits: SeenCommit[] = []
  const harness = createHarness(watchCommits(commits))
  const mount = await harness.mounts.enable('auth/jwt/', 'jwt')
  commits.length = 0
  return { commits, harness, mount }
}

/** What the one commit since the last look wrote, as sorted prefixes; undefined when nothing was. */
const writtenBy = (commits: SeenCommit[]): readonly string[] | undefined => {
  const done = commits.splice(0)
  assert.ok(done.length <= 1, 'one commit at most')
  return done[0] === undefined ? undefined : [...done[0].written].sort()
}

const activity = async (
  harness: Awaited<ReturnType<typeof watched>>['harness'],
  entityId: string,
) => {
  const read = await harness.request('read', `entity/id/${entityId}`)
  const aliasId = read.data['aliases'][0].id as string
  return harness.records.get(activityRef(ROOT.number, aliasId))
}

describe('a login', () => {
  it('puts five records the first time and none again on that day', async () => {
    const { commits, harness, mount } = await watched()
    const first = await harness.login(mount, 'kim', { metadata: { role: 'dev' } })
    assert.equal(first.created, true)
    assert.deepEqual(writtenBy(commits), ['a', 'al', 'an', 'e', 'en'])
    const second = await harness.login(mount, 'kim', { metadata: { role: 'dev' } })
    assert.deepEqual(second, { ...first, created: false })
    assert.equal(writtenBy(commits), undefined)
  })

  it('keeps the day of the last login and the groups claimed, written when they differ', async () => {
    const { commits, harness, mount } = await watched()
    const { entityId } = await harness.login(mount, 'kim', { groups: ['b', 'a', 'b'] })
    assert.deepEqual(await activity(harness, entityId), {
      lastLoginDay: '2026-01-02',
      claimedGroups: ['a', 'b'],
    })
    commits.length = 0
    await harness.login(mount, 'kim', { groups: ['a', 'b'] })
    assert.equal(writtenBy(commits), undefined)
    harness.now += DAY
    await harness.login(mount, 'kim', { groups: ['a', 'b'] })
    assert.deepEqual(writtenBy(commits), ['al'])
    await harness.login(mount, 'kim', { groups: ['c'] })
    assert.deepEqual(writtenBy(commits), ['al'])
    assert.deepEqual(await activity(harness, entityId), {
      lastLoginDay: '2026-01-03',
      claimedGroups: ['c'],
    })
  })

  it('keeps no more of a flood of claimed groups than a record should hold', async () => {
    const { harness, mount } = await watched()
    const groups = Array.from({ length: 3_000 }, (_, index) => `group-${index}-${'x'.repeat(20)}`)
    const { entityId } = await harness.login(mount, 'kim', { groups })
    const kept = (await activity(harness, entityId))!.claimedGroups
    assert.ok(kept.length > 500 && Buffer.byteLength(kept.join('')) <= 32_768)
  })

  it('stores alias metadata only when it differs and the name is written alike', async () => {
    const { commits, harness, mount } = await watched()
    const { entityId } = await harness.login(mount, 'kim', { metadata: { role: 'dev' } })
    commits.length = 0
    await harness.login(mount, 'KIM', { metadata: { role: 'ops' } })
    assert.equal(writtenBy(commits), undefined)
    await harness.login(mount, 'kim', { metadata: { role: 'ops' } })
    assert.deepEqual(writtenBy(commits), ['a'])
    const read = await harness.request('read', `entity/id/${entityId}`)
    assert.deepEqual(read.data['aliases'][0].metadata, { role: 'ops' })
    await harness.login(mount, 'kim')
    assert.equal(
      (await harness.request('read', `entity/id/${entityId}`)).data['aliases'][0].metadata,
      null,
    )
  })

  it('is refused without an alias name, with bad metadata and for a disabled entity', async () => {
    const { commits, harness, mount } = await watched()
    const refusal = async (login: Promise<unknown>) => {
      const error = await login.then(
        () => assert.fail('it was let in'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof Refusal)
      return [error.status, error.message, error.details.wrap ?? false]
    }
    assert.deepEqual(await refusal(harness.login(mount, '')), [500, 'missing name in alias', false])
    assert.deepEqual(await refusal(harness.login(mount, 'kim', { metadata: { 'a b': 'x' } })), [
      500,
      'invalid alias metadata: failed to load metadata pair ("a b", "x"): key contains invalid characters',
      false,
    ])
    assert.equal(commits.length, 0)
    const { entityId } = await harness.login(mount, 'kim')
    await harness.request('update', `entity/id/${entityId}`, { disabled: true })
    commits.length = 0
    assert.deepEqual(
      await refusal(harness.login(mount, 'kim', { groups: ['devs'], metadata: { a: 'b' } })),
      [403, 'permission denied', false],
    )
    assert.equal(commits.length, 0)
  })

  it('is not what a token for an alias does: the entity is found or made, and all else stays', async () => {
    const { commits, harness, mount } = await watched()
    const made = await harness.request('update', 'group', { name: 'devs', type: 'external' })
    await harness.request('update', 'group-alias', {
      name: 'devs',
      mount_accessor: mount.accessor,
      canonical_id: made.data['id'],
    })
    const { entityId } = await harness.login(mount, 'kim', { groups: ['devs'] })
    const before = await activity(harness, entityId)
    const forAlias = (name: string) =>
      harness.records.transact((tx) =>
        harness.port.aliasEntity(tx, {
          namespace: ROOT,
          names: harness.names,
          mount,
          name,
          now: harness.now,
          newId: randomUUID,
          randomBytes,
        }),
      )
    commits.length = 0
    harness.now += DAY
    assert.deepEqual(await forAlias('KIM'), { entityId, disabled: false })
    assert.equal(writtenBy(commits), undefined)
    assert.deepEqual(await activity(harness, entityId), before)
    assert.equal((await harness.subject(entityId))!.groups.length, 1)
    await forAlias('new')
    assert.deepEqual(writtenBy(commits), ['a', 'an', 'e', 'en'])
    await harness.request('update', `entity/id/${entityId}`, { disabled: true })
    assert.deepEqual(await forAlias('kim'), { entityId, disabled: true })
  })

  it('joins and leaves external groups in its own commit, two records a group', async () => {
    const { commits, harness, mount } = await watched()
    const other = await harness.mounts.enable('auth/ldap/', 'ldap')
    const group = async (name: string, accessor: string): Promise<string> => {
      const made = await harness.request('update', 'group', { name, type: 'external' })
      await harness.request('update', 'group-alias', {
        name,
        mount_accessor: accessor,
        canonical_id: made.data['id'],
      })
      return made.data['id']
    }
    const devs = await group('devs', mount.accessor)
    const ops = await group('ops', mount.accessor)
    const ldap = await group('devs-of-ldap', other.accessor)
    commits.length = 0
    const first = await harness.login(mount, 'kim', { groups: ['DEVS', 'none', 'ops'] })
    assert.deepEqual(first.matched, ['DEVS', 'ops'])
    assert.deepEqual(first.hints, [])
    assert.deepEqual(writtenBy(commits), ['a', 'al', 'an', 'e', 'em', 'en', 'gk', 'gk', 'gm', 'gm'])
    const ids = async (): Promise<readonly string[]> =>
      (await harness.subject(first.entityId))!.groups.map(({ id }) => id)
    assert.deepEqual(await ids(), [devs, ops])
    await harness.request('update', 'entity-alias', {
      name: 'kim',
      mount_accessor: other.accessor,
      canonical_id: first.entityId,
    })
    await harness.login(other, 'kim', { groups: ['devs-of-ldap'] })
    assert.deepEqual(await ids(), [devs, ops, ldap])
    await harness.login(mount, 'kim', { groups: ['ops'] })
    assert.deepEqual(await ids(), [ops, ldap])
  })

  it('hints when no claimed group has an alias on the mount', async () => {
    const { harness, mount } = await watched()
    const { hints, matched } = await harness.login(mount, 'kim', { groups: ['Engineering'] })
    assert.deepEqual(matched, [])
    assert.deepEqual(
      hints.map(({ code }) => code),
      ['no-group-alias'],
    )
    assert.match(hints[0]!.text, /"Engineering"/)
  })
})

describe('a renewal', () => {
  const setUp = async () => {
    const { commits, harness, mount } = await watched()
    const made = await harness.request('update', 'group', { name: 'devs', type: 'external' })
    await harness.request('update', 'group-alias', {
      name: 'devs',
      mount_accessor: mount.accessor,
      canonical_id: made.data['id'],
    })
    const { entityId } = await harness.login(mount, 'kim', { groups: ['devs'] })
    commits.length = 0
    const renew = (through: typeof mount | undefined, groupAliases: readonly string[]) =>
      harness.records.transact((tx) =>
        harness.port.refreshGroups(tx, {
          namespace: ROOT,
          names: harness.names,
          entityId,
          mount: through,
          groupAliases,
          now: harness.now,
        }),
      )
    const groups = async (): Promise<readonly string[]> =>
      (await harness.subject(entityId))!.groups.map(({ name }) => name)
    return { commits, groups, harness, entityId, mount, renew }
  }

  it('applies the groups of the login again and writes nothing when they hold', async () => {
    const { commits, groups, renew, mount } = await setUp()
    assert.deepEqual(await renew(mount, ['devs']), { matched: ['devs'] })
    assert.equal(commits.length, 0)
    await renew(mount, [])
    assert.deepEqual(await groups(), [])
    await renew(mount, ['devs'])
    assert.deepEqual(await groups(), ['devs'])
  })

  it('of a token without a login mount leaves the groups alone', async () => {
    const { commits, groups, renew } = await setUp()
    assert.deepEqual(await renew(undefined, []), { matched: [] })
    assert.equal(commits.length, 0)
    assert.deepEqual(await groups(), ['devs'])
  })

  it('of a merged entity changes the memberships of the survivor', async () => {
    const { harness, entityId, mount, renew } = await setUp()
    const { data } = await harness.request('update', 'entity', { name: 'to' })
    await harness.request('update', 'entity/merge', {
      to_entity_id: data['id'],
      from_entity_ids: [entityId],
    })
    await renew(mount, [])
    assert.deepEqual((await harness.subject(data['id']))!.groups, [])
  })

  it('of a deleted entity joins nothing', async () => {
    const { commits, harness, entityId, mount, renew } = await setUp()
    await harness.request('delete', `entity/id/${entityId}`)
    commits.length = 0
    assert.deepEqual(await renew(mount, ['devs']), { matched: ['devs'] })
    assert.equal(commits.length, 0)
  })
})

describe('who an entity id is', () => {
  it('shows policies of the entity and of its groups, the inherited ones last', async () => {
    const { harness, mount } = await watched()
    const { entityId } = await harness.login(mount, 'kim')
    await harness.request('update', `entity/id/${entityId}`, {
      name: 'kim',
      policies: ['own'],
      metadata: { team: 'blue' },
    })
    const low = await harness.request('update', 'group', {
      name: 'low',
      policies: ['low-p'],
      member_entity_ids: [entityId],
    })
    const high = await harness.request('update', 'group', {
      name: 'high',
      policies: ['high-p'],
      metadata: { floor: '3' },
      member_group_ids: [low.data['id']],
    })
    assert.deepEqual(await harness.subject(entityId), {
      id: entityId,
      name: 'kim',
      metadata: { team: 'blue' },
      disabled: false,
      policies: ['own'],
      groups: [
        { id: low.data['id'], name: 'low', metadata: {}, policies: ['low-p'], direct: true },
        {
          id: high.data['id'],
          name: 'high',
          metadata: { floor: '3' },
          policies: ['high-p'],
          direct: false,
        },
      ],
    })
  })

  it('follows merges one after another, and ends with a deletion', async () => {
    const { harness, mount } = await watched()
    const { entityId: first } = await harness.login(mount, 'kim')
    const second = (await harness.request('update', 'entity', { name: 'second' })).data['id']
    const third = (await harness.request('update', 'entity', { name: 'third' })).data['id']
    const merge = (to: string, from: string) =>
      harness.request('update', 'entity/merge', { to_entity_id: to, from_entity_ids: [from] })
    await merge(second, first)
    await merge(third, second)
    assert.equal((await harness.subject(first))?.name, 'third')
    assert.equal((await harness.subject(second))?.name, 'third')
    const alias = await harness.port.aliasOf(
      harness.records,
      harness.names,
      ROOT,
      first,
      mount.accessor,
    )
    assert.equal(alias?.name, 'kim')
    await harness.request('delete', `entity/id/${third}`)
    for (const id of [first, second, third]) {
      assert.equal(await harness.subject(id), undefined)
    }
  })

  it('is nobody for texts that are no ids', async () => {
    const { harness } = await watched()
    for (const id of ['', 'kim', '0000', 'F3A0C7E2-0000-1111-2222-333344445555']) {
      assert.equal(await harness.subject(id), undefined)
    }
  })
})
