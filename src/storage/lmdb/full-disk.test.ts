import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { put, texts } from '../conformance/kit.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const CHILD = fileURLToPath(new URL('lmdb-child.ts', import.meta.url))

describe('a full disk', { skip: process.platform === 'win32' && 'needs ulimit' }, () => {
  it('refuses what has no room as Unavailable, and reads, deletes and later commits go on', async (t) => {
    const path = scratchFolder(t)
    // A process may write no file longer than this (4,096 blocks), and is told instead of killed: the disk ends there.
    const child = spawn(
      'sh',
      ['-c', `trap '' XFSZ; ulimit -f 4096; exec "$0" "$@"`, process.execPath, CHILD, 'fill', path],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    const [printed, complaints, exit] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ])
    assert.deepEqual(exit, [0, null], complaints)
    const lines = printed.trimEnd().split('\n')
    const puts = lines.filter((line) => line.startsWith('put '))
    const count = puts.length - 1
    assert.ok(count > 20)
    assert.ok(puts.slice(0, -1).every((line) => line.endsWith(': done')))
    assert.deepEqual(lines.slice(count), [
      `put ${count}: Unavailable`,
      'more 0: Unavailable',
      'more 1: Unavailable',
      'more 2: Unavailable',
      `kept ${count}`,
      ...Array.from({ length: 8 }, (_, index) => `drop ${index}: done`),
      'after: done',
    ])
    const store = openLmdbStore({ path })
    t.after(async () => store.close())
    await put(store, { more: 'room' })
    const keys = ['fill/7', 'fill/8', `fill/${count - 1}`, `fill/${count}`, 'after', 'more']
    assert.deepEqual(
      (await texts(store, keys)).map((value) => value?.length),
      [undefined, 50_000, 50_000, undefined, 50_000, 4],
    )
  })
})
