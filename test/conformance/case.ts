import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** An answer, recorded or given: run-dependent values stand as `<uuid>`, `<time>`, `${saved}` …. */
export type Answer = {
  readonly status: number
  /** Media type without parameters. */
  readonly type: string
  readonly location?: string
  /** Parsed when the type says JSON, else the text. */
  readonly body: Json
}

/** One recorded request and its answer. */
export type Step = {
  /** The token; `root` unless told, `''` for none. */
  readonly as?: string
  readonly method: string
  /** With its query; below `/v1/` unless it begins with a slash. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  /** A raw body instead. */
  readonly text?: string
  /** Keeps values of the answer, by their dotted place: `${name}` stands for them from then on. */
  readonly save?: Readonly<Record<string, string>>
  /** Places of lists whose order says nothing. */
  readonly unordered?: readonly string[]
  /** Places of values that say nothing. */
  readonly ignore?: readonly string[]
  /** Seconds to wait before the request. */
  readonly sleep?: number
  readonly note?: string
  readonly answer: Answer
  /** Why the recorded answer is not wanted: the step is sent, not judged. */
  readonly exempt?: string
}

/** A conversation with a server of its own. */
export type Case = {
  /** Path below `cases/` without `.json`: `identity/group-create`. */
  readonly name: string
  readonly about: string
  readonly vars?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

const folder = fileURLToPath(new URL('cases/', import.meta.url))

/** All recorded cases in the order of their names; with filters, those whose name contains one of them. */
export const loadCases = async (filters: readonly string[] = []): Promise<readonly Case[]> => {
  const files = await readdir(folder, { recursive: true })
  const names = files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
    .toSorted()
  return Promise.all(
    names.map(async (name) => {
      const recorded = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Case
      return { ...recorded, name }
    }),
  )
}
