import assert from 'node:assert/strict'
import { it } from 'node:test'
import { devConfig } from '../config/dev-config.ts'
import { withFaults } from '../storage/faults/fault-store.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { makeLocalServing } from './local-serving.ts'

it('an unsealing that fails leaves nothing behind that works on the data', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  let calls = 0
  const store = withFaults(createMemoryStore(), () => void calls++)
  const servingOf = (audit: typeof config.audit) => {
    return makeLocalServing({ config: { ...config, audit }, store, waitMs: 1_000, log: () => {} })
  }
  const made = await servingOf([]).lifecycle.initialise({ shares: 1, threshold: 1 })
  assert.ok(made !== 'already')
  const file = {
    type: 'file',
    path: 'file/',
    description: '',
    local: false,
    options: new Map([['file_path', '/dev/null/audit.log']]),
  }
  const { lifecycle } = servingOf([file])
  await assert.rejects(lifecycle.giveShare(made.unsealKeys[0]!), /cannot be opened/)
  assert.equal(lifecycle.core, undefined)
  calls = 0
  t.mock.timers.tick(30_000)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(calls, 0)
})
