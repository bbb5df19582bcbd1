import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../std/json.ts'
import type { Harness } from './testing.ts'
import { createHarness } from './testing.ts'

type Body = Readonly<Record<string, Json>>

const people = async (harness: Harness, count: number): Promise<Map<string, string>> => {
  const ids = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const name = `Person-${index}`
    ids.set(name, (await harness.request('update', 'entity', { name })).data['id'])
  }
  return ids
}

const page = async (harness: Harness, path: string, body: Body) =>
  (await harness.request('list', path, body)).data

/** All keys, page by page, going on as the answers say. */
const walk = async (harness: Harness, path: string, limit: number): Promise<string[]> => {
  const seen: string[] = []
  let after: string | null = ''
  while (after !== null) {
    const data: Record<string, any> = await page(harness, path, { limit, after })
    seen.push(...data['keys'])
    after = data['page'].next
  }
  return seen
}

const LISTS = [
  'entity/id',
  'entity/name',
  'group/id',
  'group/name',
  'entity-alias/id',
  'group-alias/id',
]

describe('lists that page', () => {
  it('come in the order of the whole list, which has no pages', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/userpass/')
    for (let index = 0; index < 7; index++) {
      await harness.login(mount, `user-${index}`)
      const name = `group-${index}`
      const group = await harness.request('update', 'group', { name, type: 'external' })
      await harness.request('update', 'group-alias', {
        name,
        mount_accessor: mount.accessor,
        canonical_id: group.data['id'],
      })
    }
    for (const path of [...LISTS, 'alias/id', 'persona/id']) {
      const whole = await page(harness, path, {})
      assert.equal(whole['page'], undefined, path)
      assert.equal(whole['keys'].length, 7)
      for (const limit of [1, 3, 7, 1000]) {
        assert.deepEqual(await walk(harness, path, limit), whole['keys'], `${path} by ${limit}`)
      }
      const first = await page(harness, path, { limit: 2 })
      const info = whole['key_info'] as Record<string, unknown> | undefined
      if (info !== undefined) {
        const two = first['keys'].map((key: string) => [key, info[key]])
        assert.deepEqual({ ...first['key_info'] }, Object.fromEntries(two))
      }
      const rest = await page(harness, path, { after: first['keys'][1] })
      assert.deepEqual(rest['keys'], whole['keys'].slice(2), path)
      assert.deepEqual(rest['page'], { next: null })
    }
  })

  it('refuse a bad limit and an after that is nowhere', async () => {
    const harness = createHarness()
    await people(harness, 2)
    for (const path of LISTS) {
      for (const limit of ['0', '-1', 'abc', '1001', '1.5', '', '99999999999', -1, 1.5, null]) {
        const answer = await harness.request('list', path, { limit })
        assert.equal(answer.status, 400, `${path} ${limit}`)
        assert.match(answer.error, /field "limit": must be a whole number from 1 to 1000$/)
      }
      const answer = await harness.request('list', path, { after: 'zzz' })
      assert.equal(answer.status, 400, path)
      assert.match(answer.error, path.endsWith('name') ? /nothing has the name "zzz"/ : /be an id/)
    }
  })

  it('take the limit that a policy sets, up to what a page holds', async () => {
    const harness = createHarness()
    await people(harness, 3)
    for (const limit of [0, 5000, 'max']) {
      assert.equal((await page(harness, 'entity/id', { limit }))['keys'].length, 3)
    }
  })

  it('by name go on where they were although the name is gone, changed, or looks like an id', async () => {
    const harness = createHarness()
    const ids = await people(harness, 6)
    const [one, two, three] = (await page(harness, 'entity/name', {}))['keys'] as string[]
    const rest = (await page(harness, 'entity/name', { after: two! }))['keys']
    const next = async (after: string) => (await page(harness, 'entity/name', { after }))['keys']
    const cursor = (await page(harness, 'entity/name', { limit: 2 }))['page'].next as string
    assert.deepEqual(await next(two!.toUpperCase()), rest)
    assert.deepEqual(await next(ids.get(two!)!), rest)
    // A name that is the id of somebody else: what page.next says is not mistaken for it.
    await harness.request('update', 'entity', { id: ids.get(one!)!, name: ids.get(two!)! })
    assert.deepEqual(await next(cursor), rest)
    assert.deepEqual(await next(ids.get(two!)!), [two, three, ...rest.slice(1)])
    await harness.request('update', 'entity', { id: ids.get(two!)!, name: 'renamed' })
    assert.deepEqual(await next(cursor), rest)
    await harness.request('delete', `entity/id/${ids.get(two!)}`)
    assert.deepEqual(await next(cursor), rest)
  })

  it('show nothing twice and all that was there throughout, whatever is written meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('entity/id', 'entity/name'),
        fc.integer({ min: 1, max: 4 }),
        fc.array(
          fc.record({
            act: fc.constantFrom('create', 'delete', 'rename', 'recreate'),
            who: fc.nat(30),
          }),
          { minLength: 12, maxLength: 40 },
        ),
        async (path, limit, writes) => {
          const harness = createHarness()
          const present = await people(harness, 10)
          const untouched = new Set(present.keys())
          const queue = [...writes]
          let made = 0
          const write = async (): Promise<void> => {
            const next = queue.shift()
            if (next === undefined) return
            const names = [...present.keys()]
            const name = names[next.who % names.length]
            if (next.act === 'create' || name === undefined) {
              const fresh = `new-${made++}`
              const answer = await harness.request('update', 'entity', { name: fresh })
              present.set(fresh, answer.data['id'])
              return
            }
            untouched.delete(name)
            const id = present.get(name)!
            if (next.act === 'rename') {
              await harness.request('update', 'entity', { id, name: `renamed-${made}` })
              present.delete(name)
              present.set(`renamed-${made++}`, id)
              return
            }
            await harness.request('delete', `entity/id/${id}`)
            present.delete(name)
            if (next.act !== 'recreate') return
            const answer = await harness.request('update', 'entity', { name })
            present.set(name, answer.data['id'])
          }
          const always = new Map([...present].map(([name, id]) => [name, id]))
          const seen: string[] = []
          let after: string | null = ''
          while (after !== null) {
            const answer = await harness.request('list', path, { limit, after })
            if (answer.status === 404) break
            assert.equal(answer.status, 200)
            seen.push(...answer.data['keys'])
            after = answer.data['page'].next
            await write()
            await write()
          }
          if (path === 'entity/id') assert.equal(new Set(seen).size, seen.length)
          for (const name of untouched) {
            const key = path === 'entity/id' ? always.get(name)! : name
            assert.equal(seen.filter((one) => one === key).length, 1, `${path}: ${name}`)
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
