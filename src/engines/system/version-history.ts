import type { Namespace } from '../../engine/call.ts'
import type { ServerFacts } from '../../engine/ports/seal.ts'
import type { Records } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import { listOf } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { timeText } from './time-text.ts'

/** One version that served this store. */
interface Installed {
  readonly version: string
  readonly buildDate: string
  /** Ms. */
  readonly at: number
}

/** `vh/<ns>`: the versions that served this store, oldest first. */
const histories = recordKind<readonly Installed[]>('vh')

/** Notes the version that runs, unless it has been here before. `now` in ms. */
export const noteVersion = (
  records: Records,
  namespace: Namespace,
  facts: Pick<ServerFacts, 'reportedVersion' | 'buildDate'>,
  now: number,
): Promise<void> =>
  records.transact(async (tx) => {
    const ref = histories.at(namespace.number)
    const before = (await tx.get(ref)) ?? []
    if (before.some(({ version }) => version === facts.reportedVersion)) return
    const installed = { version: facts.reportedVersion, buildDate: facts.buildDate, at: now }
    tx.put(ref, [...before, installed].slice(-limits.versionsRemembered))
  })

/** `sys/version-history`. */
export const versionHistoryRoute = () =>
  route({
    path: 'version-history',
    summary: 'List the versions that served this data, oldest first',
    fields: {},
    verbs: {
      list: async (call) => {
        const all = (await call.records.get(histories.at(call.namespace.number))) ?? []
        const info = all.map(({ version, buildDate, at }, index) => [
          version,
          {
            build_date: buildDate,
            previous_version: all[index - 1]?.version ?? null,
            timestamp_installed: timeText(at),
          },
        ])
        return listOf(
          all.map(({ version }) => version),
          Object.fromEntries(info) as Record<string, unknown>,
        )
      },
    },
  })
