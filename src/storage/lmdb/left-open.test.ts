import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { untilLeft } from './left-open.ts'
import { LMDB_FILE, openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const CHILD = fileURLToPath(new URL('lmdb-child.ts', import.meta.url))
const skip = process.platform !== 'linux' && 'only Linux lists locks'

it('waits until no other process has the data open, and tells which has', { skip }, async (t) => {
  const path = scratchFolder(t)
  const lock = `${join(path, LMDB_FILE)}-lock`
  assert.deepEqual(await untilLeft(lock, 0), [])
  const own = openLmdbStore({ path })
  t.after(() => own.close())
  assert.deepEqual(await untilLeft(lock, 0), [])
  const child = fork(CHILD, ['serve', path], { execArgv: [] })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  assert.deepEqual(await untilLeft(lock, 50), [child.pid])
  const left = untilLeft(lock, 10_000)
  child.kill('SIGKILL')
  assert.deepEqual(await left, [])
})
