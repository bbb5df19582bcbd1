import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { startTestServer } from '../support/server.ts'
import { storm } from './storm.ts'
import type { System } from './system.ts'
import { workerSystem } from './worker-system.ts'

const MS = 8_000
const SHORT_MS = 1_500

describe('workers killed in the middle of writes', () => {
  it('lose nothing that was acknowledged, and every read fits one order of all operations', async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const system = await workerSystem(2)
    t.after(() => system.remove())
    const report = await storm(system, { seed, ms: MS, clients: 8 })
    const { operations, struck, violations, whileWriting } = report
    const faults = [...struck].map(([what, times]) => `${what} ${times} times`).join(', ')
    t.diagnostic(`${operations} operations; ${faults}; again: npm run faults -- --seed ${seed}`)
    assert.deepEqual(violations, [])
    assert.ok(whileWriting > 0)
  })

  it('would be found out, if they only said that a token is revoked', async (t) => {
    const system = await forgetfulSystem(/^\/v1\/auth\/token\/revoke$/)
    t.after(() => system.remove())
    const { violations } = await storm(system, { seed: 1, ms: SHORT_MS, clients: 8 })
    assert.ok(violations.length > 0)
    for (const violation of violations) {
      assert.match(violation, /^token .*: no order of these operations explains their answers/)
    }
  })
})

/** One good server behind something that acknowledges some requests without passing them on. */
const forgetfulSystem = async (forgotten: RegExp): Promise<System> => {
  const server = await startTestServer({ workers: 1 })
  const between = createServer((incoming, answer) => {
    if (forgotten.test(incoming.url!)) {
      incoming.resume()
      answer.writeHead(204).end()
      return
    }
    const { method, url, headers } = incoming
    const passed = request(
      { port: server.port, host: '127.0.0.1', method, path: url, headers },
      (back) => {
        answer.writeHead(back.statusCode!, back.headers)
        back.pipe(answer)
      },
    )
    passed.on('error', () => answer.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
  const { port } = between.address() as AddressInfo
  return {
    name: 'a server that forgets',
    start: async () => {},
    urls: () => [`http://127.0.0.1:${port}`],
    rootToken: () => server.rootToken,
    faults: [{ name: 'nothing', weight: 1, strike: async () => {} }],
    restart: async () => {},
    remove: async () => {
      between.closeAllConnections()
      between.close()
      await server.stop()
    },
  }
}
