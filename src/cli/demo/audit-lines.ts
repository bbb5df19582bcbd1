import { open } from 'node:fs/promises'
import { relative } from 'node:path'
import type { ApiClient } from '../../client/api-client.ts'
import { text } from '../../client/secret.ts'
import { objectOf } from '../mount-options.ts'

/** What the demo reads of a line of an audit log. */
export type AuditLine = {
  /** Who it was; '' where the line names nobody. */
  readonly entityId: string
  /** The mount of a login that succeeded. */
  readonly loginMount: string | undefined
}

/** No demo writes more than this. */
const TAIL_BYTES = 8 * 1024 * 1024

/**
 * The lines since a time (ms since 1970) of the first audit file of the server that lies on this machine, or of
 * `known`; undefined when there is none that may be read.
 */
export const auditLines = async (
  root: ApiClient,
  since: number,
  known: string | undefined,
): Promise<{ readonly file: string; readonly lines: readonly AuditLine[] } | undefined> => {
  const devices = Object.values((await root.read('sys/audit'))?.data ?? {})
  const listed = devices.map((device) => {
    const options = objectOf(objectOf(device)['options'])
    return text(options['file_path'] ?? options['path'])
  })
  for (const path of [...listed, known ?? '']) {
    const tail = path.startsWith('/') ? await tailOf(path) : undefined
    if (tail === undefined) continue
    const short = relative(process.cwd(), path)
    return { file: short.startsWith('..') ? path : short, lines: linesOf(tail, since) }
  }
  return undefined
}

const tailOf = async (path: string): Promise<string | undefined> => {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const start = Math.max(0, size - TAIL_BYTES)
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(size - start),
        position: start,
      })
      return buffer.subarray(0, bytesRead).toString('utf8')
    } finally {
      await file.close()
    }
  } catch {
    // The server's machine is another one, or the file somebody else's.
    return undefined
  }
}

type Entry = {
  readonly time?: string
  readonly type?: string
  readonly auth?: { readonly entity_id?: string }
  readonly request?: { readonly mount_point?: string }
  readonly response?: { readonly auth?: { readonly entity_id?: string } }
}

const linesOf = (tail: string, since: number): AuditLine[] =>
  tail.split('\n').flatMap((line) => {
    const entry = entryOf(line)
    if (entry === undefined || Date.parse(entry.time ?? '') < since) return []
    const loggedIn = entry.response?.auth?.entity_id
    return [
      {
        entityId: entry.auth?.entity_id ?? loggedIn ?? '',
        loginMount: loggedIn === undefined ? undefined : entry.request?.mount_point,
      },
    ]
  })

// The tail may begin in the middle of a line.
const entryOf = (line: string): Entry | undefined => {
  try {
    return JSON.parse(line) as Entry
  } catch {
    return undefined
  }
}
