import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { FieldError, field } from '../../../engine/field.ts'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import { Refusal } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { NDJSON, exportLines } from './export.ts'
import { importLines } from './import.ts'
import type { Conflict } from './outcome.ts'

const oneOf = <T extends string>(choices: readonly T[], fallback: T, description: string) => ({
  ...field.string({ default: fallback, description }),
  coerce: (value: unknown): T => {
    const choice = choices.find((one) => one === value)
    if (choice === undefined) throw new FieldError(`must be one of ${choices.join(', ')}`)
    return choice
  },
})

const importFields = {
  conflict: oneOf<Conflict>(
    ['refuse', 'merge', 'skip'],
    'refuse',
    'What becomes of a line whose thing is here and differs: it is refused, merged into it, or left out',
  ),
  results: oneOf(
    ['all', 'refused'],
    'all',
    'Which lines the answer tells of: all, or those with something to say about them',
  ),
}

const take = async (
  call: Call<InputOf<typeof importFields>>,
  mounts: MountDirectory,
  check: boolean,
): Promise<Result> => {
  if (call.rawBody === undefined) {
    throw new Refusal('media-type', `send the lines with Content-Type: ${NDJSON}`)
  }
  const conflict = call.input.conflict as Conflict
  const { lines, counts, outcomes, digest } = await importLines(call, call.rawBody, {
    mounts,
    conflict,
    check,
  })
  const shown = call.input.results === 'all' ? undefined : ('reason' as const)
  const results = [...outcomes]
    .filter(([, outcome]) => shown === undefined || outcome[shown] !== undefined)
    .sort(([a], [b]) => a - b)
    .map(([line, outcome]) => ({ line, ...outcome }))
  const summary = { lines, ...counts, digest }
  return data({ ...summary, results }, { audited: summary })
}

/** Identity as lines of JSON, out and in (docs/import-export.md). */
export const transferRoutes = (mounts: MountDirectory): readonly Route[] => {
  const all = (call: Call): Result => exportLines(call, mounts)
  return [
    route({
      path: 'export',
      summary: 'All groups, entities, aliases and memberships, as lines of JSON',
      fields: {},
      verbs: { read: all, update: all },
    }),
    route({
      path: 'import/check',
      summary: 'Tell what an import of these lines would do; nothing is changed',
      fields: importFields,
      rawBody: true,
      neverWrapped: true,
      verbs: { update: (call) => take(call, mounts, true) },
    }),
    route({
      path: 'import',
      summary: 'Take in groups, entities, aliases and memberships from lines of JSON',
      fields: importFields,
      rawBody: true,
      neverWrapped: true,
      verbs: { update: (call) => take(call, mounts, false) },
    }),
  ]
}
