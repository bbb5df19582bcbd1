import type { BackgroundScope } from '../engine/engine.ts'
import type { IdentityPort, Subject } from '../engine/identity-port.ts'
import type { SessionPort, SessionScope } from '../engine/ports/sessions.ts'
import { sidOfToken } from '../engine/ports/sessions.ts'
import type { LiveToken, TokenPort } from '../engine/ports/tokens.ts'
import type { Tx } from '../engine/records.ts'
import { limits } from '../limits.ts'
import { cidrsContain } from '../std/cidr.ts'
import { drawCookie } from './cookies.ts'
import type { SessionPlace, SessionRecord } from './session-record.ts'
import { dueRef, sessionDues, sessionKey, sessionRef, sidRef, timePart } from './session-record.ts'

/** A session that is alive, and whose. */
export interface Session {
  readonly key: Uint8Array
  readonly record: SessionRecord
  readonly token: LiveToken
  /** Undefined where the login made a token without entity. */
  readonly subject: Subject | undefined
}

/** How long sessions last, ms. */
export interface SessionTimes {
  /** Without use. */
  readonly idleMs: number
  /** In all. */
  readonly maxMs: number
}

/** What sessions need of the server. */
export interface SessionsOptions {
  readonly tokens: () => Pick<TokenPort, 'find' | 'revoke'>
  readonly subject: IdentityPort['subject']
  readonly times: SessionTimes
}

/** Who has signed in with which browser. All of it is in records: whichever process is asked knows. */
export class Sessions implements SessionPort {
  readonly #options: SessionsOptions

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** Keeps a login; gives the text of its cookie, or undefined when its token has ended already. */
  async begin(
    scope: SessionScope,
    login: Pick<SessionRecord, 'token' | 'username' | 'mount'>,
  ): Promise<{ readonly cookie: string; readonly session: Session } | undefined> {
    const { names, namespace, now, records } = scope
    const token = await this.#options.tokens().find(records, { names, namespace, now }, login.token)
    if (token === undefined) return undefined
    const cookie = drawCookie()
    const key = sessionKey(scope, cookie)
    const sid = token.type === 'batch' ? '' : sidOfToken(names, token.key)
    const record: SessionRecord = { ...login, sid, startedAt: now, usedAt: now }
    await records.transact(async (tx) => {
      tx.put(sessionRef(scope, key), record)
      if (sid !== '') tx.put(sidRef(scope, sid), { session: Buffer.from(key).toString('hex') })
      tx.put(dueRef(scope, key, this.#endOf(record)), { due: true })
    })
    const { entityId } = token.record
    const subject =
      entityId === ''
        ? undefined
        : await this.#options.subject(records, names, namespace, entityId, now)
    return { cookie, session: { key, record, token, subject } }
  }

  /**
   * The session of a cookie, used once more; undefined when there is none, or none for this address. One that is over, or whose
   * token or entity has ended or was disabled, is ended here and does not come back.
   */
  async find(
    scope: SessionScope,
    cookie: string,
    remoteAddress: string,
  ): Promise<Session | undefined> {
    const { names, namespace, now, records } = scope
    const key = sessionKey(scope, cookie)
    const record = await records.get(sessionRef(scope, key))
    if (record === undefined) return undefined
    const token = await this.#options
      .tokens()
      .find(records, { names, namespace, now }, record.token)
    const over = now >= this.#endOf(record) || token === undefined
    const entityId = token?.record.entityId ?? ''
    const subject =
      over || entityId === ''
        ? undefined
        : await this.#options.subject(records, names, namespace, entityId, now)
    const gone = entityId !== '' && (subject === undefined || subject.disabled)
    if (over || gone) {
      await this.endByKey(scope, key)
      return undefined
    }
    const { boundCidrs } = token.record
    if (boundCidrs.length > 0 && !cidrsContain(boundCidrs, remoteAddress)) return undefined
    if (now - record.usedAt < this.#touchMs) return { key, record, token, subject }
    const used = await records.transact(async (tx) => {
      const present = await tx.get(sessionRef(scope, key))
      if (present === undefined) return undefined
      const touched = { ...present, usedAt: Math.max(present.usedAt, now) }
      tx.put(sessionRef(scope, key), touched)
      return touched
    })
    return used && { key, record: used, token, subject }
  }

  async end(scope: SessionScope, sid: string): Promise<void> {
    const owner = await scope.records.get(sidRef(scope, sid))
    if (owner !== undefined) await this.endByKey(scope, Buffer.from(owner.session, 'hex'))
  }

  /** Ends a session and its token. */
  async endByKey(scope: SessionScope, key: Uint8Array): Promise<void> {
    await scope.records.transact((tx) => this.#end(tx, scope, key))
  }

  /** Ends sessions that nobody used for too long or that have lasted long enough, with their tokens. */
  async background(scope: BackgroundScope): Promise<void> {
    const { namespace, now, records } = scope
    const until = sessionDues.under(namespace.number, timePart(now)).from
    const range = { ...sessionDues.under(namespace.number), to: until }
    for await (const page of records.scan(range)) {
      for (const { tail } of page) {
        const key = tail.slice(6)
        const at = Buffer.from(tail).readUIntBE(0, 6)
        await records.transact(async (tx) => {
          tx.delete(dueRef(scope, key, at))
          const record = await tx.get(sessionRef(scope, key))
          if (record === undefined) return
          const end = this.#endOf(record)
          if (end > now) tx.put(dueRef(scope, key, end), { due: true })
          else await this.#end(tx, scope, key)
        })
      }
    }
  }

  get #touchMs(): number {
    return Math.min(limits.uiSessionTouchMs, this.#options.times.idleMs / 10)
  }

  #endOf({ startedAt, usedAt }: Pick<SessionRecord, 'startedAt' | 'usedAt'>): number {
    const { idleMs, maxMs } = this.#options.times
    return Math.min(usedAt + idleMs, startedAt + maxMs)
  }

  async #end(
    tx: Tx,
    { names, namespace, now }: SessionPlace & Pick<SessionScope, 'now'>,
    key: Uint8Array,
  ): Promise<void> {
    const place = { names, namespace }
    const record = await tx.get(sessionRef(place, key))
    if (record === undefined) return
    tx.delete(sessionRef(place, key))
    if (record.sid !== '') tx.delete(sidRef(place, record.sid))
    const scope = { names, namespace, now }
    const token = await this.#options.tokens().find(tx, scope, record.token)
    if (token?.type === 'service') this.#options.tokens().revoke(tx, scope, token)
  }
}
