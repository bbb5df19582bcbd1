import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SortedKeys } from './sorted-keys.ts'

const ALL = ['', '\u{ffff}'] as const

describe('SortedKeys', () => {
  it('keeps a set in order, whatever is added and removed', () => {
    const key = fc.string({ minLength: 1, maxLength: 3 })
    const step = fc.record({ key, add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), key, key, (steps, from, to) => {
        const sorted = new SortedKeys()
        const model = new Set<string>()
        for (const one of steps) {
          if (one.add) {
            sorted.add(one.key)
            model.add(one.key)
          } else {
            sorted.delete(one.key)
            model.delete(one.key)
          }
        }
        const inOrder = [...model].toSorted((a, b) => (a < b ? -1 : 1))
        assert.deepEqual([...sorted.range(...ALL)], inOrder)
        assert.deepEqual(
          [...sorted.range(from, to)],
          inOrder.filter((one) => one >= from && one < to),
        )
      }),
    )
  })

  it('holds many blocks of keys, added in any order, and empties again', () => {
    const count = 7_001
    const names = Array.from({ length: count }, (_, index) => String((index * 3_571) % count))
    const sorted = new SortedKeys()
    for (const name of names) sorted.add(name)
    assert.deepEqual([...sorted.range(...ALL)], names.toSorted())
    const rest = names.filter((name) => name.startsWith('4')).toSorted()
    for (const name of names) if (!name.startsWith('4')) sorted.delete(name)
    assert.deepEqual([...sorted.range(...ALL)], rest)
    for (const name of rest) sorted.delete(name)
    assert.deepEqual([...sorted.range(...ALL)], [])
    sorted.add('again')
    assert.deepEqual([...sorted.range(...ALL)], ['again'])
  })
})
