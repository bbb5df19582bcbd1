import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { byteaArray, int4Array, int8Array } from './binary-array.ts'

/** One dimension, maybe with nulls, of a type, so long, counted from 1. */
const header = (type: string, length: string) => `0000000100000001${type}${length}00000001`

describe('arrays in binary form', () => {
  it('hold bytes and nulls', () => {
    const array = byteaArray([Uint8Array.of(1, 2, 255), undefined, new Uint8Array(0)])
    assert.equal(
      array.toString('hex'),
      `${header('00000011', '00000003')}000000030102ff${'ffffffff'}00000000`,
    )
  })

  it('hold a view at its place', () => {
    const view = Uint8Array.of(9, 7, 8, 9).subarray(1, 3)
    assert.equal(byteaArray([view]).subarray(-2).toString('hex'), '0708')
  })

  it('hold numbers, negative and large ones too', () => {
    assert.equal(
      int4Array([1, -1]).toString('hex'),
      `${header('00000017', '00000002')}0000000400000001${'00000004ffffffff'}`,
    )
    assert.equal(
      int8Array([2 ** 52 - 1]).toString('hex'),
      `${header('00000014', '00000001')}00000008000fffffffffffff`,
    )
  })

  it('may be empty', () => {
    assert.equal(byteaArray([]).toString('hex'), header('00000011', '00000000'))
  })
})
