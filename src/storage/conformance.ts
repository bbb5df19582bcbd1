import { describe } from 'node:test'
import { closingConformance } from './conformance/closing.ts'
import { commitConformance } from './conformance/committing.ts'
import { limitConformance } from './conformance/limiting.ts'
import { listConformance } from './conformance/listing.ts'
import { modelConformance } from './conformance/modelling.ts'
import { raceConformance } from './conformance/racing.ts'
import { readConformance } from './conformance/reading.ts'
import { snapshotConformance } from './conformance/snapshotting.ts'
import { timeConformance } from './conformance/timing.ts'
import type { OpenStore } from './conformance/kit.ts'

/**
 * What every store promises (storage/store.ts), as one suite. `open` gives an empty store each time, with a second
 * client of the same data (a store that has no such thing gives itself); the suite closes both.
 */
export const storeConformance = (name: string, open: OpenStore): void => {
  describe(name, () => {
    readConformance(open)
    listConformance(open)
    commitConformance(open)
    modelConformance(open)
    raceConformance(open)
    snapshotConformance(open)
    timeConformance(open)
    limitConformance(open)
    closingConformance(open)
  })
}
