import type { NameEntry } from '../../engine/name-tree.ts'
import { nameTree } from '../../engine/name-tree.ts'
import { recordKind } from '../../engine/records.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { parseJson, stringifyJson } from '../../std/json.ts'

/*
 * T = the 16 bytes of the token, P = the 16-byte hash of a path in its cubbyhole.
 *
 *   cb/<ns>T P             what is stored at a path; numbers keep their literals (settled.md 5)
 *   cbn/<ns>T <folder> P   the names: see engine/name-tree.ts
 */

const encoder = new TextEncoder()

/** What a token keeps at a path. */
export const contents = recordKind<JsonObject>('cb', {
  encode: (value) => encoder.encode(stringifyJson(value as Json)),
  decode: (bytes) => parseJson(bytes) as JsonObject,
})

/** The names of what tokens keep. */
export const contentNames = nameTree(recordKind<NameEntry>('cbn'))
