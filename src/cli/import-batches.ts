import type { ApiClient } from '../client/api-client.ts'
import { ApiError, TransportError } from '../client/api-error.ts'
import type { LiteralObject } from '../client/literal-json.ts'
import { isObject } from '../client/literal-json.ts'
import { text } from '../client/secret.ts'
import { localFailure } from './failure.ts'

/** What came of the lines of an import so far. */
export interface ImportTotals {
  lines: number
  created: number
  updated: number
  unchanged: number
  refused: number
}

/** A line about which there is something to say: its number in the file, from 1. */
export interface Remark {
  readonly line: number
  readonly result: string
  readonly reason: string
}

/** How lines are sent. */
export interface ImportOptions {
  readonly conflict: string
  /** Nothing is changed: what would become of them. */
  readonly dryRun: boolean
  /** What the server will have by then, as `entity:…`, `group:…` or `mount:…`: a dry run leaves it out. */
  readonly expected: Set<string>
  /** Told after each batch. */
  readonly onBatch: (totals: Readonly<ImportTotals>) => void
}

/** A batch is an answer's wait and a step of the progress bar; the server takes up to 32 MiB. */
const BATCH_LINES = 10_000
const BATCH_BYTES = 8 * 1024 * 1024
const ATTEMPTS = 5
const PAUSE_MS = 1_000

const batchesOf = async function* (lines: AsyncIterable<string> | Iterable<string>) {
  let batch: string[] = []
  let bytes = 0
  for await (const line of lines) {
    const more = Buffer.byteLength(line) + 1
    if (batch.length >= BATCH_LINES || (batch.length > 0 && bytes + more > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(line)
    bytes += more
  }
  if (batch.length > 0) yield batch
}

/**
 * Sends lines in batches. A batch whose answer is lost, or that the server could not take just then, is sent again: what it did
 * already is not done twice. Gives the totals and what there is to say of single lines.
 */
export const sendLines = async (
  client: ApiClient,
  lines: AsyncIterable<string> | Iterable<string>,
  options: ImportOptions,
): Promise<{ readonly totals: Readonly<ImportTotals>; readonly remarks: readonly Remark[] }> => {
  const totals: ImportTotals = { lines: 0, created: 0, updated: 0, unchanged: 0, refused: 0 }
  const remarks: Remark[] = []
  for await (const batch of batchesOf(lines)) {
    if (options.dryRun) for (const line of batch) expect(options.expected, line)
    const before = totals.lines
    const answer = await sendBatch(client, batch, options)
    for (const name of ['created', 'updated', 'unchanged', 'refused'] as const) {
      totals[name] += Number(answer[name] ?? 0)
    }
    const results = answer['results']
    for (const result of Array.isArray(results) ? results : []) {
      if (!isObject(result)) continue
      if (options.dryRun && options.expected.has(text(result['missing']).toLowerCase())) {
        totals.refused--
        totals.created++
        continue
      }
      remarks.push({
        line: before + Number(result['line']),
        result: text(result['result']),
        reason: text(result['reason']),
      })
    }
    totals.lines += batch.length
    options.onBatch(totals)
  }
  return { totals, remarks }
}

const sendBatch = async (
  client: ApiClient,
  batch: readonly string[],
  { conflict, dryRun }: ImportOptions,
): Promise<LiteralObject> => {
  const bytes = Buffer.from(`${batch.join('\n')}\n`)
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await client.secret({
        method: 'POST',
        path: dryRun ? 'identity/import/check' : 'identity/import',
        query: { conflict, results: 'refused' },
        bytes,
        contentType: 'application/x-ndjson',
      })
      return answer?.data ?? {}
    } catch (error) {
      const passes =
        error instanceof TransportError || (error instanceof ApiError && error.status === 503)
      if (!passes || attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
    }
  }
}

/** Notes what a line will have made, for the lines of later batches that name it. */
const expect = (expected: Set<string>, line: string): void => {
  if (line.trim() === '') return
  const { type, id, name } = JSON.parse(line) as Record<string, unknown>
  if (type !== 'entity' && type !== 'group') return
  for (const known of [id, name]) {
    if (typeof known === 'string') expected.add(`${type}:${known}`.toLowerCase())
  }
}

/** Looks through lines before any is sent; gives their number. Throws a local failure that names the one that is torn. */
export const checkLines = async (
  lines: AsyncIterable<string> | Iterable<string>,
  file: string,
): Promise<number> => {
  let number = 0
  for await (const line of lines) {
    number++
    if (line.trim() === '') continue
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      parsed = undefined
    }
    if (typeof parsed !== 'object' || parsed === null) {
      throw localFailure(
        `line ${number} of ${file} is no JSON object, perhaps torn: nothing was imported`,
      )
    }
  }
  return number
}
