import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Store } from '../src/storage/store.ts'
import type { Node } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'
import { storeWith } from '../src/storage/faults/store-with.ts'

/** A gate that lets nobody through before it is opened. */
const gate = () => {
  let open!: () => void
  let reached!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  const arrived = new Promise<void>((resolve) => (reached = resolve))
  return { open, arrived, pass: () => (reached(), opened) }
}

/** Of keys of mounts. */
const MOUNTS = Buffer.from('m/')

/** Nodes A and B; the next mounts that B reads are held up once it has the answer, until the gate opens. */
const nodes = async () => {
  let held: ReturnType<typeof gate> | undefined
  const holding = (store: Store): Store =>
    storeWith(store, {
      read: async (keys, deadline) => {
        const answer = await store.read(keys, deadline)
        const at = held
        if (
          at !== undefined &&
          keys.every((key) => MOUNTS.equals(key.subarray(0, MOUNTS.length)))
        ) {
          held = undefined
          await at.pass()
        }
        return answer
      },
    })
  const [a, b] = (await startNodes(2, {
    storeOf: (node, store) => (node === 0 ? store : holding(store)),
  })) as [Node, Node]
  return { a, b, hold: () => (held = gate()) }
}

/*
 * A request joins nothing that was asked of the store before it came: what it finds there may be older than a change that was
 * acknowledged (architecture.md A2).
 */
describe('what a node loads for all its requests', () => {
  it('gives no mount to a request that came after it was disabled', async () => {
    const { a, b, hold } = await nodes()
    await a.write('sys/mounts/gone', { type: 'kv' })
    await a.write('gone/x', { v: 1 })
    assert.equal((await b.read('gone/x')).status, 200)
    await a.write('sys/mounts/other', { type: 'kv' })
    const loading = hold()
    const first = b.read('gone/x')
    await loading.arrived
    assert.equal((await a.delete('sys/mounts/gone')).status, 204)
    const second = b.read('gone/x')
    // Time enough to join what is under way.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    loading.open()
    await first
    assert.equal((await second).status, 404)
    assert.equal((await b.read('gone/x')).status, 404)
    await a.close()
    await b.close()
  })
})
