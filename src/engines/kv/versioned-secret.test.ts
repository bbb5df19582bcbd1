import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { VersionedSecret } from './records.ts'
import {
  addVersion,
  allVersions,
  defaultConfig,
  newSecret,
  timesOf,
  versionsToRemove,
} from './versioned-secret.ts'

const grown = (secret: VersionedSecret, versions: number): VersionedSecret => {
  let after = secret
  for (let n = 0; n < versions; n++) after = addVersion(after, defaultConfig, n)
  return after
}

describe('a versioned secret', () => {
  it('keeps no more versions than told, the latest ones, numbered without gaps', () => {
    const limit = fc.integer({ min: 0, max: 6 })
    fc.assert(
      fc.property(fc.array(limit, { maxLength: 30 }), limit, (limits, ofMount) => {
        let secret = newSecret('00', 0)
        for (const [now, maxVersions] of limits.entries()) {
          const config = { ...defaultConfig, maxVersions: ofMount }
          secret = addVersion({ ...secret, maxVersions }, config, now + 1)
          const kept = allVersions(secret).map(([version]) => version)
          assert.equal(kept.at(-1), now + 1)
          assert.ok(kept.length <= (Math.max(maxVersions, ofMount) || 10))
          for (const [index, version] of kept.entries()) {
            assert.equal(version, kept[0]! + index)
            assert.equal(timesOf(secret, version)![0], version)
          }
          assert.equal(timesOf(secret, kept[0]! - 1), undefined)
          assert.equal(timesOf(secret, now + 2), undefined)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('removes purged data a bounded number of versions at a time', () => {
    const secret = { ...newSecret('00', 0), current: 300, oldest: 200 }
    const first = versionsToRemove(secret)
    assert.deepEqual([first[0], first.at(-1)], [1, 64])
    const second = versionsToRemove({ ...secret, removed: first.at(-1)! })
    assert.deepEqual([second[0], second.at(-1)], [65, 128])
    assert.deepEqual(versionsToRemove({ ...secret, removed: 199 }), [])
  })

  it('refuses more versions than the server keeps instead of losing one', () => {
    const full = grown({ ...newSecret('00', 0), maxVersions: 5_000 }, 2_000)
    assert.throws(() => addVersion(full, defaultConfig, 0), /has 2000 versions, and no more than/)
    assert.equal(addVersion({ ...full, maxVersions: 3 }, defaultConfig, 0).oldest, 1_999)
  })
})
