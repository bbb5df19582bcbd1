import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openingTurn } from './opening-turn.ts'
import { scratchFolder } from './scratch-folder.ts'

const LONG_MS = 60_000

describe('the turn to open a data folder', { skip: process.platform !== 'linux' }, () => {
  it('is of one at a time', async (t) => {
    const folder = scratchFolder(t)
    let inside = 0
    let most = 0
    const one = async (): Promise<void> => {
      const end = await openingTurn(folder, LONG_MS)
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
      end()
    }
    await Promise.all(Array.from({ length: 8 }, one))
    assert.equal(most, 1)
  })

  it('is waited for only so long, and is another for each folder', async (t) => {
    const folder = scratchFolder(t)
    const end = await openingTurn(folder, LONG_MS)
    const other = await openingTurn(scratchFolder(t), LONG_MS)
    const late = await openingTurn(folder, 20)
    for (const finish of [late, other, end]) finish()
    const again = await openingTurn(folder, LONG_MS)
    again()
  })
})
