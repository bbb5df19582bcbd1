import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ListPage } from '../engine/result.ts'
import { collectList } from './lists.ts'

const pages = async function* (read: number[] = []): AsyncGenerator<ListPage> {
  for (const part of [
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
    ['g', 'h'],
  ]) {
    read.push(part.length)
    yield { keys: part, keyInfo: Object.fromEntries(part.map((key) => [key, { is: key }])) }
  }
}

const even = (key: string): boolean => 'bdfh'.includes(key)

describe('a collected list', () => {
  it('without a limit has all keys and no page', async () => {
    const list = await collectList(pages(), even)
    assert.deepEqual(list?.['keys'], ['b', 'd', 'f', 'h'])
    assert.deepEqual(Object.keys(list?.['key_info'] as object), ['b', 'd', 'f', 'h'])
    assert.equal(list?.['page'], undefined)
    assert.equal(await collectList(pages(), () => false), undefined)
  })

  it('with a limit reads no further than it must', async () => {
    const read: number[] = []
    const list = await collectList(pages(read), undefined, 3)
    assert.deepEqual(list?.['keys'], ['a', 'b', 'c'])
    assert.deepEqual(list?.['page'], { next: 'c' })
    assert.deepEqual(read, [3, 3])
  })

  it('is filled with keys that may be seen, and names no other to go on from', async () => {
    const list = await collectList(pages(), even, 3)
    assert.deepEqual(list?.['keys'], ['b', 'd', 'f'])
    assert.deepEqual(list?.['page'], { next: 'f' })
    assert.deepEqual((await collectList(pages(), even, 4))?.['page'], { next: null })
  })
})
