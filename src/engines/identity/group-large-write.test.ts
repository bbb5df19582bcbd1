import { compareBytes } from '../../std/json.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Store } from '../../storage/store.ts'
import { Unavailable } from '../../storage/store.ts'
import { groupMembers, groupOps, groups } from './records.ts'
import type { Harness } from './testing.ts'
import { createHarness, interleaved } from './testing.ts'
import { storeWith } from '../../storage/faults/store-with.ts'

const people = async (harness: Harness, count: number): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const answer = await harness.request('update', 'entity', { name: `person-${index}` })
    ids.push(answer.data['id'])
  }
  return ids.sort(compareBytes)
}

const write = (harness: Harness, members: readonly string[], more = {}) =>
  harness.request('update', 'group/name/crew', { member_entity_ids: [...members], ...more })

const members = async (harness: Harness): Promise<readonly string[]> =>
  (await harness.request('read', 'group/name/crew')).data['member_entity_ids'] ?? []

const seconds = (harness: Harness, count: number): void => void (harness.now += count * 1000)

/** Whether each of these people is in the group by their own record, as the list of it says. */
const agree = async (harness: Harness, ids: readonly string[]): Promise<readonly string[]> => {
  const listed = await members(harness)
  const inside: string[] = []
  for (const id of ids) {
    const subject = await harness.subject(id)
    if (subject?.groups.some(({ name }) => name === 'crew') === true) inside.push(id)
  }
  assert.deepEqual(inside, listed)
  const info = (await harness.request('list', 'group/id')).data['key_info'] ?? {}
  for (const { name, num_member_entities: count } of Object.values(info) as any[]) {
    if (name === 'crew') assert.equal(count, listed.length)
  }
  return listed
}

/** That nothing of large writes is left in the store: no marks, no memberships of groups that are not there. */
const isSettled = async (harness: Harness): Promise<void> => {
  for await (const page of harness.records.scan(groupOps.under(0))) assert.equal(page.length, 0)
  const known: string[] = []
  for await (const page of harness.records.scan(groups.under(0))) {
    for (const { value, tail } of page) {
      assert.deepEqual([value.ops, value.pending], [undefined, undefined])
      known.push(Buffer.from(tail).toString('hex'))
    }
  }
  for await (const page of harness.records.scan(groupMembers.under(0))) {
    for (const { value, tail } of page) {
      assert.deepEqual([value.in, value.out], [undefined, undefined])
      assert.ok(known.includes(Buffer.from(tail.subarray(0, 16)).toString('hex')))
    }
  }
}

/** A store that dies with its commit of this number, and with it what runs on it. */
const dyingAt = (
  store: Store,
  last: number,
): { readonly store: Store; readonly commits: () => number } => {
  let commits = 0
  const alive = (): void => {
    if (commits > last) throw new Unavailable('killed')
  }
  const dying = storeWith(store, {
    read: async (keys, deadline) => (alive(), store.read(keys, deadline)),
    list: async (range, deadline) => (alive(), store.list(range, deadline)),
    commit: async (commit, deadline) => {
      commits++
      alive()
      return store.commit(commit, deadline)
    },
  })
  return { store: dying, commits: () => commits }
}

describe('a list of members that one commit does not hold', () => {
  it('is written like any other, and leaves nothing behind', async () => {
    const harness = createHarness()
    const ids = await people(harness, 260)
    assert.equal((await write(harness, ids.slice(0, 150))).status, 200)
    assert.deepEqual(await agree(harness, ids), ids.slice(0, 150))
    const changed = await write(harness, ids.slice(60), { policies: ['sail'] })
    assert.equal(changed.status, 204)
    assert.match(changed.hints[0]!.text, /^60 member entities were removed/)
    assert.deepEqual(await agree(harness, ids), ids.slice(60))
    const shown = (await harness.request('read', 'group/name/crew')).data
    assert.equal(shown['modify_index'], 2)
    assert.deepEqual(shown['policies'], ['sail'])
    // Again before anything is settled, and single changes on marked edges.
    assert.equal((await write(harness, ids.slice(0, 130))).status, 204)
    const path = 'group-member/name/crew'
    await harness.request('delete', path, { entity_ids: [ids[0]!, ids[100]!] })
    await harness.request('update', path, { entity_ids: [ids[1]!, ids[259]!], ttl: '1h' })
    const wanted = ids.filter((_, at) => at === 259 || (at > 0 && at < 130 && at !== 100))
    assert.deepEqual(await agree(harness, ids), wanted)
    await harness.background()
    await isSettled(harness)
    assert.deepEqual(await agree(harness, ids), wanted)
    seconds(harness, 3600)
    await harness.background()
    assert.deepEqual(
      await agree(harness, ids),
      wanted.filter((id) => id !== ids[1] && id !== ids[259]),
    )
  })

  it('with somebody unknown changes nothing and disturbs nobody', async () => {
    const harness = createHarness()
    const ids = await people(harness, 150)
    await write(harness, ids.slice(0, 10))
    const refused = await write(harness, [...ids, 'nobody'])
    assert.deepEqual([refused.status, refused.error], [500, 'invalid entity ID "nobody"'])
    assert.deepEqual(await agree(harness, ids), ids.slice(0, 10))
    await isSettled(harness)
  })

  it('is the old list or the new one, wherever it is killed, and can be written again', async () => {
    for (const exists of [true, false]) {
      let total = Infinity
      for (let last = 0; last <= total; last++) {
        const shared = createMemoryStore()
        const before = createHarness(() => shared)
        const ids = await people(before, 200)
        const old = exists ? ids.slice(0, 90) : []
        const wanted = ids.slice(60)
        if (exists) await write(before, old)
        await before.background()
        const { store, commits } = dyingAt(shared, last)
        const killed = createHarness(() => store)
        const answer = await write(killed, wanted)
        if (answer.status < 300) total = commits()
        const after = createHarness(() => shared)
        const seen = await agree(after, ids)
        const expected = answer.status < 300 ? wanted : old
        assert.deepEqual(seen, expected, `killed after ${last} commits`)
        // Who comes later finds it in the way until it is taken for dead.
        seconds(after, 120)
        await after.background()
        await isSettled(after)
        assert.deepEqual(await agree(after, ids), expected)
        assert.ok((await write(after, ids.slice(0, 120))).status < 300)
        assert.deepEqual(await agree(after, ids), ids.slice(0, 120))
        if (last > 30) throw new Error('it never ends')
      }
      assert.ok(total >= 4)
    }
  })

  it('shows one of the two lists to whoever reads meanwhile', async () => {
    const harness = createHarness(interleaved(3))
    const ids = await people(harness, 300)
    const [old, wanted] = [ids.slice(0, 200), ids.slice(100)]
    await write(harness, old)
    let over = false
    const seen: (readonly string[])[] = []
    const reading = async (): Promise<void> => {
      while (!over) seen.push(await members(harness))
    }
    const settling = async (): Promise<void> => {
      while (!over) await harness.background()
    }
    const others = [reading(), reading(), reading(), reading(), settling()]
    await write(harness, wanted)
    await write(harness, old)
    await harness.background()
    over = true
    await Promise.all(others)
    assert.ok(seen.length > 10)
    for (const list of seen) assert.ok([String(old), String(wanted)].includes(String(list)))
  })

  it('lets other changes of the members come after it, and logins beside it', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const harness = createHarness(interleaved(seed))
      const mount = await harness.mounts.enable('auth/userpass/')
      const ids = await people(harness, 160)
      await write(harness, ids.slice(0, 20))
      const [ann, bob] = [ids[3]!, ids[120]!]
      const [listed, added, deleted, second] = await Promise.all([
        write(harness, ids.slice(10, 150)),
        harness.request('update', 'group-member/name/crew', { entity_ids: ids[155]! }),
        harness.request('delete', `entity/id/${ann}`),
        write(harness, ids.slice(20, 140)),
        harness.login(mount, 'kim'),
        harness.request('delete', 'group-member/name/crew', { entity_ids: bob }),
        harness.background(),
      ])
      assert.deepEqual(
        [listed.status, added.status, deleted.status, second.status],
        [204, 200, 204, 204],
      )
      const known = ids.filter((id) => id !== ann)
      await agree(harness, known)
      await harness.background()
      await isSettled(harness)
      const last = await agree(harness, known)
      assert.ok(!last.includes(ann))
      assert.ok(last.length >= 118)
    }
  })

  it('of two that create the same group makes one', async () => {
    const harness = createHarness(interleaved(5))
    const ids = await people(harness, 220)
    const answers = await Promise.all([
      write(harness, ids.slice(0, 120)),
      write(harness, ids.slice(90)),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 204],
    )
    const list = await agree(harness, ids)
    assert.ok([String(ids.slice(0, 120)), String(ids.slice(90))].includes(String(list)))
    seconds(harness, 120)
    await harness.background()
    await isSettled(harness)
  })

  it('is also made of single members: they come and go at one instant', async () => {
    const harness = createHarness()
    const ids = await people(harness, 160)
    await write(harness, ids.slice(0, 10))
    await harness.request('update', 'group', { name: 'deck' })
    const path = 'group-member/name/crew'
    const added = await harness.request('update', path, {
      entity_ids: ids.slice(5),
      group_names: 'deck',
      ttl: '1h',
    })
    assert.equal(added.status, 200)
    assert.equal(added.data['added'].length, 151)
    assert.equal(added.data['updated'].length, 5)
    assert.equal(added.data['modify_index'], 2)
    assert.deepEqual(await agree(harness, ids), ids)
    const again = await harness.request('update', path, { entity_ids: [...ids] })
    assert.equal(again.data['unchanged'].length, 160)
    const removed = await harness.request('delete', path, { entity_ids: ids.slice(20) })
    assert.equal(removed.data['removed'].length, 140)
    assert.deepEqual(await agree(harness, ids), ids.slice(0, 20))
    await harness.background()
    await isSettled(harness)
    seconds(harness, 3600)
    await harness.background()
    assert.deepEqual(await agree(harness, ids), ids.slice(0, 5))
  })
})
