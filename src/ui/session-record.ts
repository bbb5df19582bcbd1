import type { Namespace } from '../engine/call.ts'
import type { Names } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'

/**
 * `us/<ns>H('ui-session', cookie)`: a person who signed in with a browser. It rests on the token of that login: whatever ends the
 * token ends it. The cookie's text is not kept. Times in ms.
 */
export interface SessionRecord {
  /** The token's text, sealed as every value is. */
  readonly token: string
  /** As ID tokens name the session; '' for a batch token, which cannot be ended. */
  readonly sid: string
  /** As it was typed at the sign-in. */
  readonly username: string
  /** `userpass/` */
  readonly mount: string
  readonly startedAt: number
  readonly usedAt: number
}
export const sessionRecords = recordKind<SessionRecord>('us')

/** `usi/<ns>H('ui-sid', sid)`: the session of a `sid`, by the hash (hex) of its cookie. */
export const sessionSids = recordKind<{ readonly session: string }>('usi')

/** `usd/<ns><time 6 bytes>H(cookie)`: when to look whether a session is over; a hint, the record is the truth. */
export const sessionDues = recordKind<{ readonly due: true }>('usd')

/** Where sessions are. */
export interface SessionPlace {
  readonly names: Names
  readonly namespace: Namespace
}

/** The key part of a session, by its cookie. */
export const sessionKey = ({ names }: SessionPlace, cookie: string): Uint8Array =>
  names.hash('ui-session', cookie)

/** A session by its key part. */
export const sessionRef = ({ namespace }: SessionPlace, key: Uint8Array) =>
  sessionRecords.at(namespace.number, key)

/** The session of a `sid`. */
export const sidRef = ({ names, namespace }: SessionPlace, sid: string) =>
  sessionSids.at(namespace.number, names.hash('ui-sid', sid))

/** A time as keys order it. */
export const timePart = (ms: number): Uint8Array => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(Math.max(0, Math.floor(ms)), 0, 6)
  return bytes
}

/** When to look at a session. */
export const dueRef = ({ namespace }: SessionPlace, key: Uint8Array, at: number) =>
  sessionDues.at(namespace.number, timePart(at), key)
