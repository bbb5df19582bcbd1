import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { KeyChannel } from './key-channel.ts'
import type { KeyMessageHandler } from './key-channel.ts'

/** Both ends of a pipe of the system's: what is wiped after it was sent must have been copied. */
const pair = async (
  t: TestContext,
  handle: KeyMessageHandler,
  onFault: (error: unknown) => void = () => {},
) => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-keys-'))
  const server = createServer()
  const path = join(folder, 'pipe')
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const accepted = once(server, 'connection')
  const near = connect(path)
  const [far] = (await accepted) as [Socket]
  t.after(() => {
    near.destroy()
    far.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  })
  const asking = new KeyChannel(near, async () => undefined, onFault)
  void new KeyChannel(far, handle, onFault)
  return { far, asking }
}

describe('the pipe for keys', () => {
  it('brings each question its own answer, whichever is ready first', async (t) => {
    const { asking } = await pair(t, async (kind, payload) => {
      if (payload.toString() === 'slow') await new Promise((resolve) => setImmediate(resolve))
      return Buffer.from(`${kind} ${payload.toString()}`)
    })
    const answers = await Promise.all([
      asking.ask('share', Buffer.from('slow')),
      asking.ask('share', Buffer.from('fast')),
      asking.ask('progress'),
    ])
    assert.deepEqual(answers.map(String), ['share slow', 'share fast', 'progress '])
  })

  it('answers nothing, and tells who is to know, when the other side fails', async (t) => {
    const faults: unknown[] = []
    const { asking } = await pair(
      t,
      async () => {
        throw new Error('no')
      },
      (error) => faults.push(error),
    )
    assert.equal((await asking.ask('seal'))?.length, 0)
    assert.deepEqual(faults.map(String), ['Error: no'])
  })

  it('says so when the other side is gone', async (t) => {
    const { asking, far } = await pair(t, () => new Promise(() => {}))
    const asked = asking.ask('seal')
    far.destroy()
    assert.equal(await asked, undefined)
    assert.equal(await asking.ask('seal'), undefined)
  })

  it('breaks off when something else comes', async (t) => {
    const { asking, far } = await pair(t, async () => undefined)
    const asked = asking.ask('progress')
    far.write(Buffer.alloc(9, 0xff))
    assert.equal(await asked, undefined)
  })
})
