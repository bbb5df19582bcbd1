import { createReadStream } from 'node:fs'
import type { ApiClient } from '../../client/api-client.ts'
import type { Call, Command } from '../command.ts'
import { asking, say, warn } from '../command.ts'
import { localFailure } from '../failure.ts'
import { checkLines, sendLines } from '../import-batches.ts'
import type { ImportTotals, Remark } from '../import-batches.ts'
import { printValue } from '../print-secret.ts'
import { ProgressBar } from '../progress-bar.ts'
import type { Taken } from '../vault-source.ts'

const CONFLICTS = ['refuse', 'merge', 'skip']
/** More remarks than these are counted, not shown. */
const SHOWN_REMARKS = 1_000

interface Source {
  readonly lines: () => AsyncIterable<string> | Iterable<string>
  readonly count: number
  /** What another server had, beside the lines. */
  readonly taken?: Taken
}

const fileLines = async function* (file: string): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const lines = (rest + decoder.decode(piece as Buffer, { stream: true })).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest !== '') yield rest
}

const fromFile = async (call: Call, file: string): Promise<Source> => {
  if (file === '-') {
    const lines = (await call.io.readStdin()).split('\n')
    if (lines.at(-1) === '') lines.pop()
    return { lines: () => lines, count: await checkLines(lines, 'the input') }
  }
  try {
    return { lines: () => fileLines(file), count: await checkLines(fileLines(file), file) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || !(error instanceof Error)) throw error
    throw localFailure(`Error reading ${file}: ${error.message}`)
  }
}

const fromVault = async (call: Call, client: ApiClient, address: string): Promise<Source> => {
  const { readVault } = await import('../vault-source.ts')
  const taken = await readVault(call, client, address)
  return { lines: () => taken.lines, count: taken.lines.length, taken }
}

const run = async (call: Call): Promise<number> => {
  const { flags } = call
  const conflict = flags.text('conflict') ?? 'refuse'
  if (!CONFLICTS.includes(conflict)) {
    throw localFailure(
      `invalid value "${conflict}" for flag -conflict: use ${CONFLICTS.join(', ')}`,
    )
  }
  const address = flags.text('from-vault') ?? ''
  const file = call.args[0] ?? ''
  if ((file === '') === (address === '')) {
    throw localFailure('Name a FILE of lines (- for standard input), or -from-vault=ADDR')
  }
  const client = await call.client()
  const source =
    address === '' ? await fromFile(call, file) : await fromVault(call, client, address)
  const dryRun = flags.boolean('dry-run')
  const expected = new Set<string>()
  const notes: string[] = []
  if (source.taken !== undefined) {
    const { prepareTarget } = await import('../vault-target.ts')
    const prepared = await prepareTarget(client, source.taken, { dryRun, conflict })
    for (const path of prepared.mounts) expected.add(`mount:${path}`.toLowerCase())
    notes.push(...prepared.notes, ...source.taken.notTaken)
  }
  const bar = new ProgressBar(call.io.stderr)
  const sent = await asking('Error importing', () =>
    sendLines(client, source.lines(), {
      conflict,
      dryRun,
      expected,
      onBatch: (totals) => bar.show(totals.lines, source.count, counts(totals)),
    }),
  ).finally(() => bar.clear())
  report(call, sent, notes, dryRun)
  return sent.totals.refused === 0 ? 0 : 2
}

const counts = ({ created, updated, unchanged, refused }: Readonly<ImportTotals>): string =>
  `${created} created, ${updated} updated, ${unchanged} unchanged, ${refused} refused`

const report = (
  call: Call,
  {
    totals,
    remarks,
  }: { readonly totals: Readonly<ImportTotals>; readonly remarks: readonly Remark[] },
  notes: readonly string[],
  dryRun: boolean,
): void => {
  if (call.format !== 'table') {
    const shown = remarks.map(({ line, result, reason }) => ({ line, result, reason }))
    printValue(call, { ...totals, dry_run: dryRun, remarks: shown, notes: [...notes] })
    return
  }
  for (const { line, result, reason } of remarks.slice(0, SHOWN_REMARKS)) {
    warn(call.io, `line ${line} ${result}: ${reason}`)
  }
  const more = remarks.length - SHOWN_REMARKS
  if (more > 0) warn(call.io, `… and ${more} more; -format=json shows all`)
  for (const note of notes) say(call.io, note)
  const what = dryRun ? 'Nothing was changed. An import of' : 'Imported'
  say(call.io, `${what} ${totals.lines} lines: ${counts(totals)}`)
}

/** `signet import`. */
export const importIdentity: Command = {
  usage: '[flags] FILE',
  help:
    'Takes in groups, entities, aliases and memberships from lines of JSON, as "signet export" writes them. ' +
    'It may be broken off and run again: what is here already is not made twice. ' +
    'With -from-vault it reads them from a running Vault or OpenBao, with its mounts and policies, but no secrets and no ' +
    'passwords; the token for it is in SIGNET_SOURCE_TOKEN, or asked for. Ends with 2 if a line was refused.',
  flags: [
    { name: 'dry-run', kind: 'boolean', help: 'Only tell what would become of each line.' },
    {
      name: 'conflict',
      kind: 'text',
      help: 'For what is here and differs: refuse (the default), merge the line into it, or skip the line.',
    },
    {
      name: 'from-vault',
      kind: 'text',
      help: 'The address of a Vault or OpenBao to read from, in place of FILE.',
    },
    { name: 'from-namespace', kind: 'text', help: 'The namespace there.' },
  ],
  args: { min: 0, max: 1 },
  flagsAnywhere: true,
  run,
}
