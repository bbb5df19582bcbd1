import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { describe, it } from 'node:test'
import { KeyChannel } from './key-channel.ts'
import type { KeyMessageHandler } from './key-channel.ts'

const pair = (handle: KeyMessageHandler, onFault: (error: unknown) => void = () => {}) => {
  const [near, far] = duplexPair()
  const asking = new KeyChannel(near, async () => undefined, onFault)
  const answering = new KeyChannel(far, handle, onFault)
  return { near, far, asking, answering }
}

describe('the pipe for keys', () => {
  it('brings each question its own answer, whichever is ready first', async () => {
    const { asking } = pair(async (kind, payload) => {
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

  it('answers nothing, and tells who is to know, when the other side fails', async () => {
    const faults: unknown[] = []
    const { asking } = pair(
      async () => {
        throw new Error('no')
      },
      (error) => faults.push(error),
    )
    assert.equal((await asking.ask('seal'))?.length, 0)
    assert.deepEqual(faults.map(String), ['Error: no'])
  })

  it('says so when the other side is gone', async () => {
    const { asking, far } = pair(() => new Promise(() => {}))
    const asked = asking.ask('seal')
    far.destroy()
    assert.equal(await asked, undefined)
    assert.equal(await asking.ask('seal'), undefined)
  })

  it('breaks off when something else comes', async () => {
    const { asking, far } = pair(async () => undefined)
    const asked = asking.ask('progress')
    far.write(Buffer.alloc(9, 0xff))
    assert.equal(await asked, undefined)
  })
})
