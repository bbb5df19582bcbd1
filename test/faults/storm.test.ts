import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startTestServer } from '../support/server.ts'
import { skipWithout } from '../support/postgres.ts'
import { postgresSystem } from './postgres-system.ts'
import type { Report } from './storm.ts'
import { storm } from './storm.ts'
import type { System } from './system.ts'
import { workerSystem } from './worker-system.ts'

const MS = 8_000
const NODES_MS = 12_000
const SHORT_MS = 1_500
const MOST_STORMS = 10

describe('workers killed in the middle of writes', () => {
  it('lose nothing that was acknowledged, and every read fits one order of all operations', async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const system = await workerSystem(2)
    t.after(() => system.remove())
    const report = await storm(system, { seed, ms: MS, clients: 8 })
    t.diagnostic(`${told(report)}; again: npm run faults -- --seed ${seed}`)
    assert.deepEqual(report.violations, [])
    assert.ok(report.whileWriting > 0)
  })

  it('bring everything back to one instant when a snapshot is restored, and lose nothing afterwards', async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const system = await workerSystem(2)
    t.after(() => system.remove())
    const report = await storm(system, { seed, ms: MS, clients: 6, restores: true })
    t.diagnostic(`${told(report)}; again: npm run faults -- --restores --seed ${seed}`)
    assert.deepEqual(report.violations, [])
  })

  it('would be found out, if they only said that a snapshot is restored', async (t) => {
    const system = await dishonestSystem(/^\/v1\/sys\/storage\/snapshot$/, undefined)
    t.after(() => system.remove())
    const violations = await foundOut(system, { seed: 3, restores: true })
    assert.ok(violations.length > 0)
    for (const violation of violations) {
      assert.match(violation, /^(secrets|token) .*: no order of these operations explains/)
    }
  })

  it('would be found out, if they only said that a token is revoked', async (t) => {
    const system = await dishonestSystem(/^\/v1\/auth\/token\/revoke$/, undefined)
    t.after(() => system.remove())
    const violations = await foundOut(system, { seed: 1 })
    assert.ok(violations.length > 0)
    for (const violation of violations) {
      assert.match(violation, /^(token|access of) .*: no order of these operations explains/)
    }
  })

  it('would be found out, if a change counted only a moment after it was acknowledged', async (t) => {
    const system = await dishonestSystem(/^\/v1\/sys\/policies\/acl\//, 100)
    t.after(() => system.remove())
    const violations = await foundOut(system, { seed: 2 })
    assert.ok(violations.length > 0)
    for (const violation of violations) {
      assert.match(violation, /^access of .*: no order of these operations explains/)
    }
  })
})

describe('nodes and their database broken in the middle of writes', () => {
  const skip = skipWithout('postgres')
  it(
    'lose nothing that was acknowledged, and act on it everywhere at once',
    { skip },
    async (t) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const system = await postgresSystem(3)
      t.after(() => system.remove())
      const report = await storm(system, { seed, ms: NODES_MS, clients: 8 })
      t.diagnostic(`${told(report)}; again: npm run faults -- --system postgresql --seed ${seed}`)
      assert.deepEqual(report.violations, [])
      assert.ok(report.whileWriting > 0)
    },
  )

  it(
    'bring everything back to one instant when a snapshot is restored, and lose nothing afterwards',
    { skip },
    async (t) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const system = await postgresSystem(3)
      t.after(() => system.remove())
      const report = await storm(system, { seed, ms: NODES_MS, clients: 6, restores: true })
      const again = `npm run faults -- --system postgresql --restores --seed ${seed}`
      t.diagnostic(`${told(report)}; again: ${again}`)
      assert.deepEqual(report.violations, [])
    },
  )
})

/** What short storms find, the first that finds anything: on a busy machine one may be over too soon. */
const foundOut = async (
  system: System,
  { seed, restores = false }: { readonly seed: number; readonly restores?: boolean },
): Promise<readonly string[]> => {
  for (let attempt = 0; ; attempt++) {
    const options = { seed: seed + 10 * attempt, ms: SHORT_MS, clients: 8, restores }
    const { violations } = await storm(system, options)
    if (violations.length > 0 || attempt === MOST_STORMS) return violations
  }
}

const told = ({ operations, struck, counts }: Report): string =>
  [
    `${operations} operations`,
    `${counts.get('restores') ?? 0} restores`,
    ...[...struck].map(([what, times]) => `${what} ${times} times`),
  ].join(', ')

/** One good server behind something that acknowledges some requests and passes them on some ms later, or never. */
const dishonestSystem = async (pattern: RegExp, laterMs: number | undefined): Promise<System> => {
  const server = await startTestServer({ workers: 1 })
  const between = createServer((incoming, answer) => {
    const { method, url, headers } = incoming
    if (pattern.test(url!) && method !== 'GET') {
      void buffer(incoming).then(async (body) => {
        answer.writeHead(204).end()
        if (laterMs === undefined) return
        await wait(laterMs)
        const late = request({ port: server.port, host: '127.0.0.1', method, path: url, headers })
        late.on('error', () => {})
        late.end(body)
      })
      return
    }
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
    name: 'a server that says what is not so',
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
