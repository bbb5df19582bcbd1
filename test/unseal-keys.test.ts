import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until, WorkerServer } from './support/worker-server.ts'

const WORKERS = 2
const PATIENCE_MS = 60_000

/** Gives keys to an operation one by one, each over a connection of its own; the last answer. */
const give = async (server: WorkerServer, path: string, nonce: string, keys: readonly string[]) => {
  let last = await server.ask({ path, body: { key: keys[0], nonce } })
  for (const key of keys.slice(1)) last = await server.ask({ path, body: { key, nonce } })
  assert.equal(last.status, 200, JSON.stringify(last.body))
  return last.body.data
}

const ROOT_INIT = 'sys/rotate/root/init'
const ROOT_UPDATE = 'sys/rotate/root/update'
const ROOT_VERIFY = 'sys/rotate/root/verify'

describe('unseal keys of a server of several workers', () => {
  it('are replaced, verified, and prove who may make a root token', async (t) => {
    const server = await WorkerServer.prepare(WORKERS)
    t.after(() => server.remove())
    await server.start()
    await server.initialise(3, 2)
    await server.unseal()
    const old = server.keys

    const replaceWorker = async (): Promise<void> => {
      const [victim] = server.workers()
      process.kill(victim!, 'SIGKILL')
      await until(() => server.hasReplaced(victim!, WORKERS), PATIENCE_MS)
      const sealed = ({ body }: { readonly body: { readonly sealed: boolean } }): boolean =>
        body.sealed
      assert.deepEqual(await server.everywhere({ path: 'sys/seal-status' }, sealed), [false])
      const status = ({ status: given }: { readonly status: number }): number => given
      assert.deepEqual(await server.everywhere({ path: 'auth/token/lookup-self' }, status), [200])
    }

    await t.test('new ones open the seal, old ones do not', async () => {
      const begun = await server.ask({
        path: ROOT_INIT,
        body: { secret_shares: 3, secret_threshold: 3 },
      })
      const { nonce } = begun.body.data
      const first = await server.ask({ path: ROOT_UPDATE, body: { key: old[0], nonce } })
      assert.equal(first.body.data.progress, 1)
      const again = await server.ask({ path: ROOT_UPDATE, body: { key: old[0], nonce } })
      assert.deepEqual(again.body.errors, [
        'given key has already been provided during this rotation',
      ])
      const done = await give(server, ROOT_UPDATE, nonce, [old[2]!])
      assert.equal(done.complete, true)
      assert.equal(done.keys.length, 3)
      // A worker that starts now gets the new key of the seal from the supervisor.
      await replaceWorker()
      await server.ask({ path: 'sys/seal', method: 'PUT' })
      for (const key of old.slice(0, 2)) await server.ask({ path: 'sys/unseal', body: { key } })
      await server.ask({ path: 'sys/unseal', body: { reset: true } })
      server.keys = done.keys
      await server.unseal()
    })

    await t.test('the root key can be replaced under them, while workers go on', async () => {
      assert.equal((await server.ask({ path: 'sys/rotate/root', method: 'POST' })).status, 204)
      assert.equal((await server.ask({ path: 'sys/rotate', method: 'POST' })).status, 204)
      const term = await server.everywhere({ path: 'sys/key-status' }, ({ body }) => body.term)
      assert.deepEqual(term, [2])
      await replaceWorker()
      assert.equal((await server.ask({ path: 'sys/rotate/root', method: 'POST' })).status, 204)
      await replaceWorker()
    })

    await t.test('that must be verified count once they were given back', async () => {
      const before = server.keys
      const begun = await server.ask({
        path: ROOT_INIT,
        body: { secret_shares: 2, secret_threshold: 2, require_verification: true },
      })
      const done = await give(server, ROOT_UPDATE, begun.body.data.nonce, before)
      assert.equal(done.verification_required, true)
      await server.ask({ path: 'sys/seal', method: 'PUT' })
      await server.unseal()
      const nonce = done.verification_nonce
      const wrong = ['00'.repeat(33), `${'11'.repeat(32)}02`]
      await server.ask({ path: ROOT_VERIFY, body: { key: wrong[0], nonce } })
      const refused = await server.ask({ path: ROOT_VERIFY, body: { key: wrong[1], nonce } })
      assert.deepEqual(refused, {
        status: 400,
        body: { errors: ['rotation verification failed; incorrect key shares supplied'] },
      })
      const verified = await give(server, ROOT_VERIFY, nonce, done.keys)
      assert.deepEqual(verified, { complete: true, nonce })
      await server.ask({ path: 'sys/seal', method: 'PUT' })
      server.keys = done.keys
      await server.unseal()
    })

    await t.test('make a root token that only its password uncovers', async () => {
      const path = 'sys/generate-root-token/attempt'
      const begun = await server.ask({ path, method: 'POST' })
      const { nonce, otp } = begun.body.data
      assert.match(otp, /^[0-9A-Za-z]{26}$/)
      assert.equal((await server.ask({ path })).body.data.otp, '')
      const done = await give(server, 'sys/generate-root-token/update', nonce, server.keys)
      assert.equal(done.complete, true)
      const decoded = await server.ask({
        path: 'sys/decode-token',
        token: '',
        body: { encoded_token: done.encoded_token, otp },
      })
      const { token } = decoded.body.data
      const self = await server.ask({ path: 'auth/token/lookup-self', token })
      assert.deepEqual(self.body.data.policies, ['root'])
      assert.equal((await server.ask({ path })).body.data.started, false)
    })

    await t.test('levels of loggers reach every worker', async () => {
      await server.ask({ path: 'sys/loggers', body: { level: 'error' } })
      const levels = await server.everywhere({ path: 'sys/loggers' }, ({ body }) => body.data)
      assert.deepEqual(levels, [
        { audit: 'error', core: 'error', listener: 'error', storage: 'error' },
      ])
    })
  })
})
