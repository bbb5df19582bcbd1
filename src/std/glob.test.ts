import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { matchesGlob } from './glob.ts'

describe('a glob', () => {
  it('matches what a regular expression with .* for each star matches', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'é'), maxLength: 8 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 })
    fc.assert(
      fc.property(pattern, text, (glob, subject) => {
        const source = glob
          .split('*')
          .map((part) => part.replaceAll('.', String.raw`\.`))
          .join('.*')
        assert.equal(matchesGlob(glob, subject), new RegExp(`^${source}$`, 's').test(subject))
      }),
    )
  })

  it('takes no long time for many stars', () => {
    assert.equal(matchesGlob('*a'.repeat(2_000), 'a'.repeat(1_999)), false)
  })
})
