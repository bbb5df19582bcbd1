import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { it } from 'node:test'
import { withFaults } from '../src/storage/faults/fault-store.ts'
import type { Node } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'

const FULL = '/dev/full'
const options = { skip: !existsSync(FULL) }

it(
  'a read that is slower than the audit device that fails is refused, and the process lives',
  options,
  async () => {
    let slow = false
    const [node] = await startNodes(1, {
      storeOf: (_, store) =>
        withFaults(store, ({ operation }) =>
          slow && operation === 'list'
            ? { before: () => new Promise((resolve) => setTimeout(resolve, 20)) }
            : undefined,
        ),
    })
    const enabled = await node!.write('sys/audit/full', {
      type: 'file',
      options: { file_path: FULL, skip_test: 'true' },
    })
    assert.deepEqual([enabled.status, enabled.errors], [204, []])
    slow = true
    const ended: unknown[] = []
    const heard = (reason: unknown): void => void ended.push(reason)
    process.on('unhandledRejection', heard)
    const answer = await node!.ask({ operation: 'list', path: 'identity/entity/id' })
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', heard)
    assert.equal(answer.status, 500)
    assert.deepEqual(ended, [])
    await node!.close()
  },
)

it('of two devices whose paths overlap, enabled on two nodes at once, one is refused', async () => {
  const [a, b] = await startNodes(2)
  const enable = (node: Node, path: string) =>
    node.write(`sys/audit/${path}`, {
      type: 'file',
      options: { file_path: 'discard', skip_test: 'true' },
    })
  const answers = await Promise.all([enable(a!, 'one'), enable(b!, 'one/two')])
  assert.deepEqual(
    answers.map(({ status }) => status).sort((one, other) => one - other),
    [204, 400],
  )
  const devices = Object.keys((await a!.read('sys/audit')).data)
  assert.equal(devices.length, 1)
  await a!.close()
  await b!.close()
})
