import assert from 'node:assert/strict'
import { it } from 'node:test'
import { verify } from '@node-rs/bcrypt'
import { threadedBcrypt } from './hash-threads.ts'

it('hashes and compares as bcrypt does, several at once', async () => {
  const bcrypt = threadedBcrypt()
  const hashes = await Promise.all(['a', 'b'].map((password) => bcrypt.hash(password, 5)))
  assert.ok(await verify('a', hashes[0]!))
  const compared = await Promise.all([
    bcrypt.verify('a', hashes[0]!),
    bcrypt.verify('b', hashes[0]!),
    bcrypt.verify('b', hashes[1]!),
  ])
  assert.deepEqual(compared, [true, false, true])
})

it('says why a job failed, and goes on', async () => {
  const bcrypt = threadedBcrypt()
  await assert.rejects(bcrypt.hash('a', 99), Error)
  assert.match(await bcrypt.hash('a', 5), /^\$2[aby]\$05\$/)
})
