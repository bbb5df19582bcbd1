import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withFaults } from '../src/storage/faults/fault-store.ts'
import { createMemoryStore } from '../src/storage/memory/memory-store.ts'
import { deadlineIn, newVersion } from '../src/storage/store.ts'
import { startLocal } from './faults/local-server.ts'

/** An unsealed server over a store that can be damaged and taken away. */
const start = async () => {
  const bare = createMemoryStore()
  let gone = false
  const store = withFaults(bare, () => (gone ? { fails: 'unavailable' } : undefined))
  const server = await startLocal(store)
  /** Changes a byte of all records of a kind. */
  const damage = async (prefix: string): Promise<number> => {
    const from = Buffer.from(`${prefix}/`)
    const range = { from, to: Buffer.from(`${prefix}0`), limit: 9 }
    const { items } = await bare.list(range, deadlineIn(1_000))
    for (const { key, value } of items) {
      const changed = Buffer.from(value!)
      changed[changed.length - 1]! ^= 1
      const write = { id: newVersion(), checks: [], writes: [{ key, value: changed }] }
      await bare.commit(write, deadlineIn(1_000))
    }
    return items.length
  }
  return {
    ...server,
    damage,
    takeAway: (is: boolean) => void (gone = is),
  }
}

describe('sys/health', () => {
  it('counts records that do not open, lists the others, and names none without a token', async (t) => {
    const server = await start()
    t.after(() => server.close())
    await server.ask('update', 'identity/entity', { name: 'broken' })
    assert.ok((await server.damage('e')) > 0)
    await server.ask('update', 'identity/entity', { name: 'whole' })
    const list = await server.ask('list', 'identity/entity/id/')
    assert.equal(list.status, 200)
    const open = await server.ask('read', 'sys/health', { detail: '' }, '')
    assert.equal(open.body.detail.set_aside.records, 1)
    assert.equal(open.body.detail.set_aside.by_kind, undefined)
    assert.ok(open.body.detail.storage.latency_ms >= 0)
    const named = await server.ask('read', 'sys/health', { detail: 'true' })
    assert.deepEqual(named.body.detail.set_aside.by_kind, { e: 1 })
    assert.deepEqual(named.body.detail.audit.failing_paths, [])
    const told = server.lines.filter((line) => line.includes('is set aside'))
    assert.equal(told.length, 1)
    assert.match(told[0]!, /storage key 652f[0-9a-f]+/)
    assert.equal((await server.ask('read', 'sys/health', {})).body.detail, undefined)
  })

  it('says 503 while the store is away, and recovers by itself', async (t) => {
    const server = await start()
    t.after(() => server.close())
    server.takeAway(true)
    const { status, body } = await server.ask('read', 'sys/health', {}, '')
    assert.equal(status, 503)
    assert.match(body.errors[0], /storage is not available/)
    server.takeAway(false)
    assert.equal((await server.ask('read', 'sys/health', {}, '')).status, 200)
  })

  it('says 503 while no audit device takes entries', async (t) => {
    const server = await start()
    t.after(() => server.close())
    const device = { type: 'file', options: { file_path: '/dev/full', skip_test: 'true' } }
    await server.ask('update', 'sys/audit/full', device)
    await server.ask('read', 'auth/token/lookup-self')
    const { status, body } = await server.ask('read', 'sys/health', { activecode: '200' }, '')
    assert.equal(status, 503)
    assert.match(body.audit, /no audit device/)
  })
})
