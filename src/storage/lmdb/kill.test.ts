import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { bytes, numberAt, soon, turn, upTo } from '../conformance/kit.ts'
import type { Store } from '../store.ts'
import { storm, stormKeys } from './lmdb-child.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const CHILD = fileURLToPath(new URL('lmdb-child.ts', import.meta.url))
const ROUNDS = Number(process.env['SIGNET_KILL_ROUNDS'] ?? 10)

/** Runs a writing process, kills it after about this many acknowledgements, gives all that it printed. */
const killAfter = async (folder: string, name: string, count: number): Promise<string[]> => {
  const child = spawn(process.execPath, [CHILD, 'storm', folder, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  let printed = ''
  child.stdout.setEncoding('latin1')
  for await (const part of child.stdout) {
    printed += part as string
    if (printed.split('\n').length > count) child.kill('SIGKILL')
  }
  assert.deepEqual(await exit, [null, 'SIGKILL'])
  // A line that the kill cut in two was acknowledged as well, but cannot be checked.
  return printed.split('\n').slice(0, -1)
}

/** Entries of a committer that are there, in any order. */
const entriesOf = async (store: Store, worker: string): Promise<Set<string>> => {
  const { entries } = stormKeys(worker)
  const found = new Set<string>()
  let from = bytes(entries)
  const to = bytes(`${entries.slice(0, -1)}0`)
  for (;;) {
    const { items } = await store.list({ from, to, limit: 256 }, soon())
    if (items.length === 0) return found
    for (const { key, value } of items) {
      const entry = Buffer.from(key).toString()
      assert.equal(Buffer.from(value!).toString(), entry.repeat(20))
      found.add(entry)
    }
    from = Uint8Array.from([...items[items.length - 1]!.key, 0])
  }
}

describe('a process killed while it writes', () => {
  it(`loses no acknowledged commit and leaves no half one, ${ROUNDS} times`, async (t) => {
    const path = scratchFolder(t)
    const store = openLmdbStore({ path })
    let over = false
    const own: string[] = []
    const survivor = storm(store, 'survivor', (entry) => {
      own.push(entry)
      return !over
    })
    let acknowledged = 0
    for (const round of upTo(ROUNDS)) {
      const name = `round-${round}`
      const lines = await killAfter(path, name, 1 + Math.floor(Math.random() * 250))
      // The survivor goes on: this waits for two more of its commits, begun after the kill.
      const seen = own.length
      while (own.length < seen + 2) await turn()
      acknowledged += lines.length
      for (const worker of upTo(4).map((index) => `${name}-${index}`)) {
        const entries = await entriesOf(store, worker)
        assert.equal(await numberAt(store, bytes(stormKeys(worker).counter)), entries.size)
        const { entries: prefix } = stormKeys(worker)
        const printed = lines.filter((line) => line.startsWith(prefix))
        assert.deepEqual(
          printed.filter((line) => !entries.has(line)),
          [],
        )
      }
    }
    over = true
    await survivor
    const mine = await entriesOf(store, 'survivor')
    assert.equal(mine.size, own.length)
    await store.close()
    const again = openLmdbStore({ path })
    assert.equal((await entriesOf(again, 'survivor')).size, own.length)
    await again.close()
    t.diagnostic(`${acknowledged} acknowledged by the killed, ${own.length} by the survivor`)
  })
})
