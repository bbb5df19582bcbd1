import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { trimSlashes } from './trim-slashes.ts'

it('takes the slashes from both ends of a path and leaves those inside', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('/', 'a', 'é')), (parts) => {
      const path = parts.join('')
      assert.equal(trimSlashes(path), path.replace(/^\/+/, '').replace(/\/+$/, ''))
    }),
  )
})
