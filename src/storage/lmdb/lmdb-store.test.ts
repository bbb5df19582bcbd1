import type { TestContext } from 'node:test'
import { createKeyring, parseKeyring } from '../../barrier/keyring.ts'
import { withBarrier } from '../../barrier/barrier-store.ts'
import { storeConformance } from '../conformance.ts'
import { withFaults } from '../faults/fault-store.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const openTwice = (test: TestContext) => {
  const path = scratchFolder(test)
  return { store: openLmdbStore({ path }), second: openLmdbStore({ path }) }
}

storeConformance('the LMDB store', async (test) => openTwice(test))

storeConformance('the LMDB store under faults that never come', async (test) => {
  const { store, second } = openTwice(test)
  return {
    store: withFaults(store, () => undefined),
    second: withFaults(second, () => undefined),
  }
})

storeConformance('the LMDB store under the barrier', async (test) => {
  const { store, second } = openTwice(test)
  const keyring = createKeyring(0)
  return {
    store: withBarrier(store, keyring),
    second: withBarrier(second, parseKeyring(keyring.serialise())),
  }
})
