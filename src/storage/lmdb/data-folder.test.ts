import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { bytes, put, read, soon, texts, upTo } from '../conformance/kit.ts'
import { newVersion, Unavailable } from '../store.ts'
import { claimDataFolder, DataFolderInUse } from './data-folder.ts'
import { LMDB_FILE, openLmdbStore } from './lmdb-store.ts'
import { socketNames } from './owner-socket.ts'
import { scratchFolder } from './scratch-folder.ts'

const CHILD = fileURLToPath(new URL('owner-child.ts', import.meta.url))

/** Claims the folder for the length of the test. */
const claimed = async (test: TestContext, path: string) => {
  const folder = await claimDataFolder({ path })
  test.after(async () => folder.close())
  return folder
}

/** Another process that claims the folder; gives it and what it printed. */
const startChild = async (test: TestContext, path: string) => {
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  test.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  return { child, line: line.trimEnd() }
}

const kill = async (child: ChildProcess): Promise<void> => {
  const end = once(child, 'exit')
  child.kill('SIGKILL')
  await end
}

/** A socket file in the folder on which nobody listens, as a killed process leaves it. */
const leaveSocket = async (path: string, name: string): Promise<void> => {
  const child = spawn(
    process.execPath,
    [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(join(path, name))}, () => process.kill(process.pid, 'SIGKILL'))`,
    ],
    { stdio: 'ignore' },
  )
  await once(child, 'exit')
  assert.ok(readdirSync(path).includes(name))
}

describe('owning a data folder', () => {
  it('opens the store, and refuses others until it is closed', async (t) => {
    const path = scratchFolder(t)
    const folder = await claimDataFolder({ path })
    await put(folder.store, { a: 'kept' })
    await assert.rejects(claimDataFolder({ path }), {
      name: 'DataFolderInUse',
      message: `the data folder ${path} is in use by pid ${process.pid}`,
      pid: process.pid,
    })
    assert.deepEqual(await texts(folder.store, ['a']), ['kept'])
    await folder.close()
    await folder.close()
    assert.deepEqual(socketNames(path), [])
    await assert.rejects(read(folder.store, bytes('a')), Unavailable)
    const next = await claimed(t, path)
    assert.deepEqual(await texts(next.store, ['a']), ['kept'])
  })

  it('makes a folder that is not there yet', async (t) => {
    const path = join(scratchFolder(t), 'new', 'data')
    await put((await claimed(t, path)).store, { a: '1' })
  })

  it('refuses another process, by the pid of the owner', async (t) => {
    const path = scratchFolder(t)
    const { store } = await claimed(t, path)
    const { line } = await startChild(t, path)
    assert.equal(line, `DataFolderInUse: the data folder ${path} is in use by pid ${process.pid}`)
    await put(store, { a: 'still here' })
  })

  it('takes over at once from a process that was killed', async (t) => {
    const path = scratchFolder(t)
    for (const round of upTo(2)) {
      const { child, line } = await startChild(t, path)
      assert.equal(line, 'owner', `round ${round}`)
      await assert.rejects(claimDataFolder({ path }), (error) => {
        assert.ok(error instanceof DataFolderInUse)
        assert.equal(error.pid, child.pid)
        return true
      })
      await kill(child)
      assert.equal(socketNames(path).length, 1)
      const begin = performance.now()
      const folder = await claimDataFolder({ path })
      t.diagnostic(`took over in ${(performance.now() - begin).toFixed(1)} ms`)
      assert.equal(socketNames(path).length, 1)
      await folder.close()
    }
  })

  it('does not take a folder from an owner that is stopped and answers nothing', async (t) => {
    const path = scratchFolder(t)
    const { child } = await startChild(t, path)
    child.kill('SIGSTOP')
    await assert.rejects(claimDataFolder({ path }), (error) => {
      assert.ok(error instanceof DataFolderInUse)
      assert.equal(error.pid, child.pid)
      return true
    })
  })

  it('lets one of many win, over and over', async (t) => {
    const path = scratchFolder(t)
    for (const round of upTo(6)) {
      if (round % 2 === 1) await leaveSocket(path, `owner-000000000000000${round}.sock`)
      const tries = await Promise.allSettled(upTo(8).map(async () => claimDataFolder({ path })))
      const winners = tries.filter((one) => one.status === 'fulfilled')
      assert.equal(winners.length, 1)
      for (const one of tries) {
        if (one.status === 'rejected') assert.ok(one.reason instanceof DataFolderInUse)
      }
      assert.equal(socketNames(path).length, 1)
      await winners[0]!.value.close()
    }
  })

  it('lets one of several processes win', async (t) => {
    const path = scratchFolder(t)
    const children = await Promise.all(upTo(3).map(async () => startChild(t, path)))
    const lines = children.map(({ line }) => line.replace(/pid \d+/, 'pid'))
    assert.deepEqual(lines.toSorted(), [
      `DataFolderInUse: the data folder ${path} is in use by pid`,
      `DataFolderInUse: the data folder ${path} is in use by pid`,
      'owner',
    ])
  })

  it('clears away sockets on which nobody listens, and nothing else', async (t) => {
    const path = scratchFolder(t)
    await leaveSocket(path, 'owner-0123456789abcdef.sock')
    await leaveSocket(path, 'other.sock')
    writeFileSync(join(path, 'owner.txt'), 'x')
    await claimed(t, path)
    assert.equal(socketNames(path).length, 1)
    const names = readdirSync(path)
    assert.ok(names.includes('other.sock') && names.includes('owner.txt'))
    assert.ok(!names.includes('owner-0123456789abcdef.sock'))
  })

  it('owns folders whose path is longer than that of a socket may be', async (t) => {
    const path = join(
      scratchFolder(t),
      ...upTo(4).map((index) => `${index}`.repeat(60)),
      'ä'.repeat(40),
    )
    mkdirSync(path, { recursive: true })
    const { child, line } = await startChild(t, path)
    assert.equal(line, 'owner')
    await assert.rejects(claimDataFolder({ path }), DataFolderInUse)
    await kill(child)
    const folder = await claimed(t, path)
    assert.equal(socketNames(path).length, 1)
    await folder.close()
    assert.deepEqual(socketNames(path), [])
  })

  it('takes a restored copy, whose record names an owner elsewhere', async (t) => {
    const path = scratchFolder(t)
    const before = openLmdbStore({ path })
    const value = bytes(JSON.stringify({ nonce: 'f'.repeat(16), pid: 1, host: 'elsewhere' }))
    const writes = [{ key: bytes('meta/owner'), value }]
    await before.commit({ id: newVersion(), checks: [], writes }, soon())
    await before.close()
    await claimed(t, path)
  })

  it('names the machine when the owner runs on another', async (t) => {
    const path = scratchFolder(t)
    const before = openLmdbStore({ path })
    const nonce = 'e'.repeat(16)
    const value = bytes(JSON.stringify({ nonce, pid: 77, host: 'elsewhere' }))
    const writes = [{ key: bytes('meta/owner'), value }]
    await before.commit({ id: newVersion(), checks: [], writes }, soon())
    await before.close()
    const server = createServer((socket) => socket.destroy())
    server.listen(join(path, `owner-${nonce}.sock`))
    await once(server, 'listening')
    t.after(() => server.close())
    await assert.rejects(claimDataFolder({ path }), {
      message: `the data folder ${path} is in use by pid 77 on elsewhere`,
    })
  })

  it('goes on with the time that was told when other data takes the place of its own', async (t) => {
    const path = scratchFolder(t)
    let time = Date.now() + 3_600_000
    const folder = await claimDataFolder({ path, clock: () => time })
    t.after(() => folder.close())
    await put(folder.store, { a: 'old' })
    const told = (await folder.store.versions([], soon())).now
    const made = join(path, 'made')
    const store = openLmdbStore({ path: made })
    await put(store, { a: 'new' })
    await store.close()
    time = 1
    await folder.exchange(join(made, LMDB_FILE))
    assert.deepEqual(await texts(folder.store, ['a']), ['new'])
    assert.ok((await folder.store.versions([], soon())).now >= told)
  })
})
