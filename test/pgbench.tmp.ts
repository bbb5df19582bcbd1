import { startPostgres } from './support/postgres.ts'
import { openPostgresStore } from '../src/storage/postgres/postgres-store.ts'
import { deadlineIn, newVersion } from '../src/storage/store.ts'
import { randomBytes } from 'node:crypto'
import { fork } from 'node:child_process'
const url = process.argv[2]
const D = () => deadlineIn(30000)
const N = 100_000
const key = (i: number) => Buffer.from('e/' + String(i).padStart(30, '0'))
if (url) {
  const store = await openPostgresStore({ connectionUrl: url })
  const shared = Array.from({ length: 8 }, (_, i) => Buffer.from('st/' + i))
  const { items } = await store.versions(shared, D())
  const run = async (name: string, one: () => Promise<void>, clients = 32) => {
    const end = performance.now() + 3000; let n = 0; const cpu = process.cpuUsage()
    const lat: number[] = []
    await Promise.all(Array.from({ length: clients }, async () => { while (performance.now() < end) { const b = performance.now(); await one(); lat.push(performance.now() - b); n++ } }))
    const u = process.cpuUsage(cpu); lat.sort((a, b) => a - b)
    console.log(name, clients, Math.round(n / 3), '/s client us', Math.round((u.user + u.system) / n), 'p50', lat[n >> 1]!.toFixed(2), 'p99', lat[Math.floor(n * 0.99)]!.toFixed(2))
  }
  let conflicts = 0
  const login = async () => {
    const o = await store.commit({ id: newVersion(), checks: shared.map((k, i) => ({ key: k, version: items[i]! })), writes: [1, 2].map(() => ({ key: Buffer.concat([Buffer.from('t/'), randomBytes(16)]), value: randomBytes(400) })) }, D())
    if (o.kind !== 'committed') conflicts++
  }
  await run('login commit', login, 1); await run('login commit', login, 4); await run('login commit', login, 1)

  const versions = async () => { await store.versions([...shared, key(Math.floor(Math.random() * N)), key(Math.floor(Math.random() * N))], D()) }
await run('versions 8 shared + 2', versions, 1)
  console.log('conflicts', conflicts)
  await store.close()
} else {
  const pg = await startPostgres(['shared_buffers=256MB'])
  const store = await openPostgresStore({ connectionUrl: pg.url })
  const began = performance.now()
  for (let at = 0; at < N; at += 200 * 64) await Promise.all(Array.from({ length: 64 }, async (_, b) => { const from = at + b * 200; if (from >= N) return; await store.commit({ id: newVersion(), checks: [], writes: Array.from({ length: 200 }, (_, i) => ({ key: key(from + i), value: randomBytes(700) })) }, D()) }))
  await store.commit({ id: newVersion(), checks: [], writes: Array.from({ length: 8 }, (_, i) => ({ key: Buffer.from('st/' + i), value: new Uint8Array(0) })) }, D())
  console.log('loaded', N, Math.round(performance.now() - began), 'ms')
  const go = async (count: number) => { await Promise.all(Array.from({ length: count }, () => new Promise((r) => fork(import.meta.filename, [pg.url]).on('exit', r)))) }
  console.log('one process'); await go(1)
  console.log('two processes'); await go(2)
  console.log(await pg.run(`select count(*) from signet.commits`))
  await store.close(); await pg.stop()
}
