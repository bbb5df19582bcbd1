import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ListPage } from '../engine/result.ts'
import type { Json } from '../std/json.ts'
import { stringifyJson } from '../std/json.ts'
import { collectList, LongList, wholeList } from './lists.ts'

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

/** Pages of so many keys in all, each with something about it. */
const manyPages = async function* (count: number, read: number[] = []): AsyncGenerator<ListPage> {
  for (let at = 0; at < count; at += 1_000) {
    const keys = Array.from(
      { length: 1_000 },
      (_, next) => `k${String(at + next).padStart(8, '0')}`,
    )
    read.push(keys.length)
    yield { keys, keyInfo: Object.fromEntries(keys.map((key) => [key, { is: key }])) }
  }
}

const textOf = async (data: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = []
  for await (const piece of data) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

describe('a list of everything', () => {
  it('is collected while an audit entry would show it all', async () => {
    const list = await wholeList(manyPages(10_000), undefined)
    assert.ok(!(list instanceof LongList))
    assert.deepEqual(list, await collectList(manyPages(10_000), undefined))
    assert.equal(await wholeList(manyPages(20_000), () => false), undefined)
  })

  it('is read on as it is sent when it is longer, and has the same text', async () => {
    const read: number[] = []
    const list = await wholeList(manyPages(30_000, read), undefined)
    assert.ok(list instanceof LongList)
    assert.equal(read.length, 11)
    const whole = await collectList(manyPages(30_000), undefined)
    assert.equal(await textOf(list.data), stringifyJson(whole as Json))
    assert.deepEqual(list.summary(), { key_info: 30_000, keys: 30_000 })
  })

  it('has only keys that may be seen, with or without more about them', async () => {
    const keeps = (key: string): boolean => !key.endsWith('0')
    const plain = async function* (): AsyncGenerator<ListPage> {
      for await (const { keys } of manyPages(20_000)) yield { keys }
    }
    for (const pages of [() => manyPages(20_000), plain]) {
      const list = await wholeList(pages(), keeps)
      assert.ok(list instanceof LongList)
      const whole = await collectList(pages(), keeps)
      assert.equal(await textOf(list.data), stringifyJson(whole as Json))
      assert.equal(list.summary()['keys'], 18_000)
    }
  })

  it('stops reading when the client is gone', async () => {
    let ended = false
    const pages = async function* (): AsyncGenerator<ListPage> {
      try {
        yield* manyPages(30_000)
      } finally {
        ended = true
      }
    }
    const list = await wholeList(pages(), undefined)
    assert.ok(list instanceof LongList)
    for await (const _ of list.data) break
    assert.ok(ended)
  })
})
