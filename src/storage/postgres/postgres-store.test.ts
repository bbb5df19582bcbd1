import { after, before, describe } from 'node:test'
import type { TestContext } from 'node:test'
import type { TestPostgres } from '../../../test/support/postgres.ts'
import { skipWithout, startPostgres } from '../../../test/support/postgres.ts'
import { withBarrier } from '../../barrier/barrier-store.ts'
import { createKeyring, parseKeyring } from '../../barrier/keyring.ts'
import { storeConformance } from '../conformance.ts'
import { openPostgresStore } from './postgres-store.ts'

describe('PostgreSQL', { skip: skipWithout('postgres') }, () => {
  let server: TestPostgres
  let schemas = 0
  before(async () => {
    server = await startPostgres()
  })
  after(async () => server.stop())

  /** Two clients of a schema of their own. */
  const openTwice = async (_test: TestContext) => {
    const options = { connectionUrl: server.url, schema: `test_${(schemas += 1)}` }
    return { store: await openPostgresStore(options), second: await openPostgresStore(options) }
  }

  storeConformance('the PostgreSQL store', openTwice)

  storeConformance('the PostgreSQL store under the barrier', async (test) => {
    const { store, second } = await openTwice(test)
    const keyring = createKeyring(0)
    return {
      store: withBarrier(store, keyring),
      second: withBarrier(second, parseKeyring(keyring.serialise())),
    }
  })
})
