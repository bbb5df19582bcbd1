import type { Mount, Namespace } from '../engine/call.ts'
import type { IdentityPort } from '../engine/identity-port.ts'
import type { MfaPort } from '../engine/ports/mfa.ts'
import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Names, Records, Ref } from '../engine/records.ts'
import {
  INLINE_AUTH_FAILED,
  INLINE_AUTH_MARK,
  Refusal,
  denied,
  errorList,
  invalid,
} from '../engine/refusal.ts'
import type { Result } from '../engine/result.ts'
import type { Route, Verb } from '../engine/route.ts'
import { limits } from '../limits.ts'
import type { Decision } from '../policy/acl.ts'
import { filterKey } from '../policy/list-filter.ts'
import type { Store } from '../storage/store.ts'
import { cidrsContain } from '../std/cidr.ts'
import { goQuote } from '../std/go-quote.ts'
import type { BatchTokens } from './batch-tokens.ts'
import { checkBatchToken } from './batch-tokens.ts'
import type { Caller, Callers, Nobody } from './callers.ts'
import { viewOf } from './callers.ts'
import { DataReplaced } from './data-replaced.ts'
import { faultText } from './fault-text.ts'
import { helpReply } from './help.ts'
import type { Input } from './input.ts'
import { readInput } from './input.ts'
import { collectList, LongList, wholeList } from './lists.ts'
import type { DecidedLogin } from './login.ts'
import type { Remembered } from './remembered.ts'
import type { SettleParts } from './settle-login.ts'
import { finishLogin, settleLogin } from './settle-login.ts'
import type { MountTable, Mounted } from './mounts.ts'
import { cleanPolicies } from './policy-names.ts'
import type { Counted, RateLimits } from './rate-limits.ts'
import type { RecordCache } from './record-cache.ts'
import type { Check, ConflictQueues } from './records.ts'
import { StaleAuthority, TrackedReader, asRefusal, createRecords } from './records.ts'
import type { Reply, Success } from './reply.ts'
import { NO_RAW_BODY, errorReply, refusalReply, withHeaders } from './reply.ts'
import type { Request } from './request.ts'
import { RequestCall } from './request-call.ts'
import type { RouteMatch } from './router.ts'
import type { CarriedClock } from '../storage/clock.ts'
import { revokeToken, tokenRef, tokenUses } from './tokens.ts'
import { auditedStream } from './stream.ts'
import type { Trail, Trails } from './trail.ts'
import type { Wrapping } from './wrapping.ts'

/** What the life of a request needs. */
export interface HandleParts {
  readonly store: Store
  readonly cache: RecordCache
  readonly time: CarriedClock
  readonly names: Names
  readonly queues: ConflictQueues
  readonly mounts: MountTable
  readonly callers: Callers
  readonly identity: IdentityPort
  readonly mfa: MfaPort
  readonly batch: BatchTokens
  readonly logins: Remembered<DecidedLogin>
  readonly wrapping: Wrapping
  readonly trails: Trails
  /** Those of the names that have no policy. */
  readonly missingPolicies: (names: readonly string[], now: number) => Promise<readonly string[]>
  /** Brings audit devices and settings up to date: an entry goes to those that are on now. */
  readonly confirm: () => Promise<void> | undefined
  readonly rates: RateLimits
  readonly root: Namespace
  /** Records for what the server commits by itself, `before` as in RecordsOptions. */
  readonly own: (before?: () => Promise<void> | undefined) => Records
  /** The keyring's stamp as this process knows it: part of every commit (architecture.md F6). */
  readonly keyringCheck: () => Check
  /** Told that a commit found the keyring changed. */
  readonly keyringMoved: () => Promise<void>
  /** Told of what was thrown that is no refusal: a fault of ours. */
  readonly onFault: (error: unknown, what: string) => void
  /** The same error, or a refusal when the data was replaced under the request: that explains whatever went wrong. */
  readonly explain: (error: unknown) => Promise<unknown>
}

/** A request matched to what serves it. */
interface Target {
  readonly mounted: Mounted | undefined
  readonly found: RouteMatch | undefined
}

/** What a request may do and as what, decided before anything runs. */
interface Judged {
  readonly target: Target
  readonly caller: Caller | undefined
  readonly verb: Verb
  readonly decision: Decision | undefined
  readonly exists: Check | undefined
  readonly refusal: Refusal | undefined
  /** Uses left after this one was spent; undefined when the token has no limit. */
  readonly usesLeft: number | undefined
}

/** Fields that name policies, on whatever route. */
const POLICY_FIELDS = ['policies', 'token_policies']

const isWrite = (operation: Request['operation']): boolean =>
  operation === 'update' || operation === 'patch'

/** Where auth methods let people in. */
const LOGIN = /^auth\/.+\/login(?:\/|$)/

const isRead = (operation: Request['operation']): boolean =>
  !isWrite(operation) && operation !== 'delete'

const handlerOf = (route: Route, verb: Verb) =>
  route.verbs[verb] ??
  (verb === 'create' ? route.verbs.update : verb === 'update' ? route.verbs.create : undefined)

/** The life of a request: match, identify, verb, decide, audit, run, settle, audit (design.md). */
export class Handler {
  readonly #parts: HandleParts

  constructor(parts: HandleParts) {
    this.#parts = parts
  }

  /** Answers a request. Throws DataReplaced alone, before anything was begun. */
  handle(request: Request): Promise<Reply> {
    if (request.namespace !== '') {
      return Promise.resolve(errorReply(404, ['namespace not found']))
    }
    return request.inlineAuth === undefined
      ? this.#handle(request)
      : this.#handleLoggedIn(request, request.inlineAuth)
  }

  /** Logs in first, by a request of its own, and asks for the other with the token that comes of it and that nobody else ever sees. */
  async #handleLoggedIn(
    request: Request,
    { path, operation, data }: NonNullable<Request['inlineAuth']>,
  ): Promise<Reply> {
    let passing: LiveToken | undefined
    const { headers, mfaHeaders, namespace, remoteAddress, remotePort } = request
    const login = await this.#handle({
      requestId: crypto.randomUUID(),
      operation,
      path,
      token: undefined,
      data,
      headers,
      ...(mfaHeaders && { mfaHeaders }),
      wrapTtlSeconds: undefined,
      namespace,
      remoteAddress,
      remotePort,
      onPassingToken: (token) => (passing = token),
    })
    if (passing === undefined || login.kind !== 'success') return notLoggedIn(login)
    const { clientToken } = login.auth!
    return this.#handle({ ...request, token: clientToken, passing, mfaHeaders: [] })
  }

  async #handle(request: Request): Promise<Reply> {
    const trail = this.#parts.trails.begin(request)
    let spent: Caller | undefined
    let began = false
    try {
      const confirming = this.#parts.confirm()
      if (confirming !== undefined) await confirming
      const counted = this.#parts.rates.on ? await this.#count(request) : undefined
      if (counted?.allowed === false) return await this.#tooMany(request, counted, trail)
      let usesLeft: number | undefined
      for (let attempt = 0; attempt < limits.decisionAttempts; attempt++) {
        const judged = await this.#judge(request, usesLeft)
        usesLeft = judged.usesLeft
        if (usesLeft === 0) spent = judged.caller
        began = true
        try {
          const reply = await this.#carryOut(request, judged, trail)
          return counted === undefined ? reply : withHeaders(reply, counted.headers)
        } catch (error) {
          if (!(error instanceof StaleAuthority)) throw error
          await this.#parts.keyringMoved()
        }
      }
      throw new Refusal('unavailable', 'what the request rests on changes all the time; try again')
    } catch (error) {
      const explained = await this.#parts.explain(error)
      if (!began && explained !== error) throw new DataReplaced()
      return this.#failed(explained, request, trail)
    } finally {
      if (spent !== undefined) await this.#endSpent(spent)
    }
  }

  /** Counts a request for the rules on how many a client may make. */
  async #count(request: Request): Promise<Counted | undefined> {
    const { mounts, names, own, rates, root } = this.#parts
    const { data = {}, path, remoteAddress } = request
    const mounted = await mounts.find(path)
    const isLogin = LOGIN.test(path) && isWrite(request.operation)
    return rates.count({
      path,
      remoteAddress,
      mount: mounted?.record,
      role: async () =>
        isLogin
          ? mounted?.engine.loginRole?.(
              { records: own(), namespace: root, mount: mounted.view, names },
              data,
            )
          : undefined,
    })
  }

  /** The answer to a request too many. Nothing of it has been looked at, so there is no entry of it unless that is switched on. */
  async #tooMany(request: Request, counted: Counted, trail: Trail): Promise<Reply> {
    const text = `request path ${goQuote(request.path)}: rate limit quota exceeded`
    if (counted.audited) {
      const known = {
        caller: undefined,
        decision: undefined,
        mount: undefined,
        usesLeft: undefined,
      }
      const refusal = new Refusal('limited', text)
      await trail.request({ ...known, verb: plainVerb(request) }, refusal)
    }
    return withHeaders(errorReply(429, [text]), counted.headers)
  }

  /** Steps 1 to 4: nothing of the request is carried out, and a refusal is a value, so that it is audited (architecture.md F8). */
  async #judge(request: Request, spent: number | undefined): Promise<Judged> {
    const { mounts, root } = this.#parts
    const set = mounts.confirmed()
    const mounted = set === undefined ? await mounts.find(request.path) : set.find(request.path)
    const found = mounted?.match(request.path.slice(mounted.record.path.length))
    const target: Target = { mounted, found }
    const route = found?.route
    let caller: Caller | undefined
    let usesLeft = spent
    const open = { target, verb: plainVerb(request), decision: undefined, exists: undefined }
    try {
      if (route?.wrappingToken === true) {
        await this.#parts.wrapping.validate(request, spent !== undefined)
      }
      const who = await this.#identify(request, route, spent !== undefined)
      if (typeof who === 'string') throw denied()
      caller = who
      const within = caller === undefined || comesFromWithin(caller, request)
      // On open routes such a token is no better than a bad one.
      if (!within && (route?.public !== true || route.refusesBadToken === true)) throw denied()
      if (route?.public === true || caller === undefined) {
        return { ...open, caller: within ? caller : undefined, refusal: undefined, usesLeft }
      }
      if (caller.token.record.numUses > 0) usesLeft ??= await this.#spend(caller, root)
      return { ...(await this.#decide(request, target, caller)), usesLeft }
    } catch (error) {
      const refusal = asRefusal(error)
      if (!(refusal instanceof Refusal)) throw error
      return { ...open, caller, refusal, usesLeft }
    }
  }

  async #identify(
    request: Request,
    route: Route | undefined,
    spent: boolean,
  ): Promise<Caller | Nobody | undefined> {
    const { callers, root } = this.#parts
    if (route?.whileSealed === true && route.sudo !== true) return undefined
    const open = route?.public === true
    if (request.token === undefined || request.token === '') return open ? undefined : 'no-token'
    if (!open) checkBatchToken(request.token)
    const who =
      request.passing === undefined
        ? await callers.identify(root, request.token, spent)
        : await callers.ofPassing(root, request.passing)
    // On open routes a bad token is ignored, a disabled person's is not (identity.md 7.6).
    if (open && route.refusesBadToken !== true && who === 'no-token') return undefined
    return who
  }

  /**
   * Spends a use of a limited token: its own commit, exactly one winner of the last one, before the decision is enforced
   * (spec/auth.md 2.8). Gives what is left; refuses when there was none.
   */
  async #spend(caller: Caller, namespace: Namespace): Promise<number> {
    const { key } = caller.token
    const ref = tokenUses.at(namespace.number, key)
    return this.#parts.own().transact(async (tx) => {
      const token = await tx.get(tokenRef(namespace, key))
      const uses = await tx.get(ref)
      if (token?.state !== 'live' || uses === undefined || uses.left <= 0) throw denied()
      tx.put(ref, { left: uses.left - 1 })
      return uses.left - 1
    })
  }

  async #decide(
    request: Request,
    target: Target,
    caller: Caller,
  ): Promise<Omit<Judged, 'usesLeft'>> {
    const { found, mounted } = target
    const route = found?.route
    const ask = (verb: Verb | 'header' | 'help'): Decision =>
      caller.acl.decide({
        verb,
        path: request.path,
        data: request.data,
        wrapTtlSeconds: request.wrapTtlSeconds,
        sudoPath: route?.sudo === true,
      })
    const result = (verb: Verb, decision: Decision, exists?: Check): Omit<Judged, 'usesLeft'> => ({
      target,
      caller,
      verb,
      decision,
      exists,
      refusal: decision.allowed
        ? undefined
        : new Refusal('denied', 'permission denied', { wrap: true }),
    })
    if (request.operation === 'header' || request.operation === 'help') {
      return result('read', ask(request.operation))
    }
    if (request.operation !== 'update') return result(request.operation, ask(request.operation))
    if (route?.exists === undefined || mounted === undefined) return result('update', ask('update'))
    // Decide first; look only when the answer matters, so that a denied caller learns nothing (settled.md 7).
    const [create, update] = [ask('create'), ask('update')]
    if (!create.allowed && !update.allowed) return result('update', update)
    const call = this.#callFor(request, mounted, found!, caller, 'update', () => [])
    const ref: Ref<unknown> | undefined = route.exists(call)
    if (ref === undefined) return result('create', create)
    const reader = new TrackedReader(this.#parts.store, this.#parts.cache)
    const value = await reader.get(ref).catch((error: unknown) => {
      throw asRefusal(error)
    })
    const exists = value !== undefined && (route.counts?.(value) ?? true)
    const same =
      create.allowed === update.allowed && handlerOf(route, 'create') === handlerOf(route, 'update')
    // Where nothing depends on the answer, a change of it must not make the request run again.
    const check = same ? undefined : { key: ref.key, version: reader.versionOf(ref)! }
    return exists ? result('update', update, check) : result('create', create, check)
  }

  /** Steps 5 to 8. */
  async #carryOut(request: Request, judged: Judged, trail: Trail): Promise<Reply> {
    const { caller, target, decision } = judged
    const route = target.found?.route
    const audited = route?.unaudited !== true
    let logged: Promise<void> | undefined
    if (audited) {
      const mount = target.mounted?.record
      const known = { caller, decision, mount, verb: judged.verb, usesLeft: judged.usesLeft }
      logged = trail.request(known, judged.refusal)
      // Awaited below, but a device may fail before the request has got there: that must not end the process.
      logged.catch(() => undefined)
      // What only reads goes on meanwhile: the entry must stand before it changes something, and before its answer leaves.
      if (!isRead(request.operation)) await logged
    }
    let reply: Reply
    try {
      reply =
        judged.refusal === undefined
          ? await this.#run(request, judged, trail, logged)
          : refused(judged.refusal, route)
    } catch (error) {
      // Of a request that could not be logged nothing may be told, not even that it failed.
      await logged
      if (error instanceof StaleAuthority) throw error
      reply = this.#refused(await this.#parts.explain(error), request, route)
    }
    if (!audited || route?.unaudited === 'response' || reply.kind === 'stream') {
      await logged
      return reply.kind === 'stream' && audited ? auditedStream(reply, trail) : reply
    }
    await Promise.all([logged, trail.response(reply)])
    return reply
  }

  async #run(
    request: Request,
    judged: Judged,
    trail: Trail,
    logged: Promise<void> | undefined,
  ): Promise<Reply> {
    const { caller, target, verb } = judged
    const { found, mounted } = target
    if (mounted === undefined) {
      return errorReply(404, [`no handler for route "${request.path}". route entry not found.`])
    }
    if (request.operation === 'help') return helpReply(request, mounted, found)
    const bare = found?.route.public === true
    if (found === undefined) return errorReply(404, [errorList(['unsupported path'])])
    if (request.rawBody !== undefined && found.route.rawBody !== true) {
      return errorReply(415, [NO_RAW_BODY])
    }
    const handler = request.operation === 'header' ? undefined : handlerOf(found.route, verb)
    if (handler === undefined) {
      return errorReply(405, [
        bare ? 'unsupported operation' : errorList(['unsupported operation']),
      ])
    }
    const checks = (): readonly Check[] => [
      ...(caller?.checks ?? []),
      ...(judged.exists === undefined ? [] : [judged.exists]),
    ]
    const call = this.#callFor(request, mounted, found, caller, verb, checks, judged, logged)
    const result = await handler(call as never)
    if (request.operation === 'update') await this.#hintPolicies(call)
    return this.#settle(request, found.route, call, result, trail, judged, logged)
  }

  async #settle(
    request: Request,
    route: Route,
    call: RequestCall,
    result: Result,
    trail: Trail,
    judged: Judged,
    logged: Promise<void> | undefined,
  ): Promise<Reply> {
    const { own, wrapping } = this.#parts
    if (result === undefined) {
      // A body-less answer has no place for the warning that the reference gives elsewhere.
      for (const text of call.inputWarnings) call.hint('ignored-parameters', text)
      return nothing(request, call)
    }
    if (result.kind === 'raw' || result.kind === 'stream') {
      return { ...result, headers: result.headers ?? {} }
    }
    const base = {
      kind: 'success' as const,
      requestId: request.requestId,
      data: null,
      auth: undefined,
      wrapInfo: undefined,
      leaseDurationSeconds: 0,
      copyDataToTop: route.copyDataToTop === true,
      status: undefined,
    }
    let success: Success
    let demandedTtl: number | undefined
    let wrappedAccessor = ''
    switch (result.kind) {
      case 'login':
      case 'second-factor': {
        if (request.passing !== undefined) {
          throw invalid('requests with inline authentication cannot generate leases')
        }
        const done =
          result.kind === 'login'
            ? await settleLogin(call, result, this.#loginParts)
            : await finishLogin(call, result, this.#loginParts)
        call.warnings.push(...done.warnings)
        if (done.kind === 'token') {
          trail.loggedIn(done, call.entityCreated)
          request.onPassingToken?.(done.token)
        }
        wrappedAccessor = done.auth.accessor
        success = {
          ...base,
          data: result.kind === 'login' && result.emptyData === true ? {} : null,
          auth: done.auth,
          warnings: [],
          hints: call.hints,
        }
        // Whoever is to answer must see what is asked; there is nothing secret in it.
        if (done.kind === 'waiting') return { ...success, warnings: call.warnings }
        break
      }
      case 'auth':
        wrappedAccessor = result.auth.accessor
        success = { ...base, auth: result.auth, warnings: [], hints: call.hints }
        break
      case 'list': {
        const keeps = keyFilter(request, judged)
        // A page is bounded, and what is to be wrapped must be held.
        const collects = result.limit !== undefined || request.wrapTtlSeconds !== undefined
        const list = collects
          ? await collectList(result.pages, keeps, result.limit)
          : await wholeList(result.pages, keeps)
        if (list instanceof LongList) return this.#longListReply(list, base, call)
        if (list === undefined && call.warnings.length === 0 && request.operation !== 'scan') {
          return { ...errorReply(404, []), hints: call.hints }
        }
        success = { ...base, data: (list ?? {}) as never, warnings: [], hints: call.hints }
        break
      }
      case 'wrapped':
        return {
          ...base,
          warnings: [],
          hints: call.hints,
          requestId: '',
          wrapInfo: result.wrapInfo,
        }
      case 'data':
        demandedTtl = result.wrapTtlSeconds
        wrappedAccessor = result.wrappedAccessor ?? ''
        success = {
          ...base,
          data: result.data as never,
          leaseDurationSeconds: result.leaseDurationSeconds ?? 0,
          status: result.status,
          audited: result.audited as Success['audited'],
          emptyWarnings: result.emptyWarnings,
          warnings: [],
          hints: call.hints,
        }
        break
    }
    success = { ...success, warnings: [...call.warnings, ...call.inputWarnings] }
    const ttl = smallest(request.wrapTtlSeconds, demandedTtl)
    if (ttl === undefined || route.neverWrapped === true) return success
    // What was done is done: wrapping must not have the request decided, and a use spent, once more.
    return wrapping.wrap(
      call,
      own(() => logged),
      success,
      ttl,
      wrappedAccessor,
    )
  }

  #longListReply(
    list: LongList,
    base: Omit<Success, 'warnings' | 'hints'>,
    call: RequestCall,
  ): Reply {
    const warnings = [...call.warnings, ...call.inputWarnings]
    return {
      kind: 'stream',
      contentType: 'application/json',
      headers: {},
      body: list.data,
      envelope: { ...base, warnings, hints: call.hints },
      summary: () => list.summary(),
    }
  }

  get #loginParts(): SettleParts {
    const { identity, batch, logins, mfa, mounts } = this.#parts
    return {
      identity,
      batch,
      logins,
      mfa,
      mountOf: async (uuid) => (await mounts.current()).byUuid(uuid)?.view,
    }
  }

  /** Tells of policies that a user, role, entity or group was given and that nobody has written yet. */
  async #hintPolicies(call: RequestCall): Promise<void> {
    const named = POLICY_FIELDS.flatMap((field) => {
      const value = call.has(field) ? call.input[field] : undefined
      return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []
    })
    // Where tokens are made the answer says so already, in the reference's words.
    if (named.length === 0 || call.warnings.some((text) => text.endsWith('does not exist'))) return
    let missing: readonly string[]
    try {
      missing = await this.#parts.missingPolicies(cleanPolicies(named, false), call.now)
    } catch (error) {
      // The request is done: that there is no advice must not make it look undone.
      if (asRefusal(error) instanceof Refusal) return
      throw error
    }
    if (missing.length === 0) return
    const quoted = missing.slice(0, 5).map((name) => JSON.stringify(name))
    const more = missing.length > quoted.length ? ` and ${missing.length - quoted.length} more` : ''
    call.hint(
      'unknown-policy',
      `no policy has the name ${quoted.join(', ')}${more}: it grants nothing until it is written (sys/policies/acl)`,
    )
  }

  #callFor(
    request: Request,
    mounted: Mounted,
    found: RouteMatch,
    caller: Caller | undefined,
    verb: Verb,
    checks: () => readonly Check[],
    judged?: Judged,
    logged?: Promise<void>,
  ): RequestCall {
    const { names, root, time } = this.#parts
    const data =
      judged?.decision?.limit === undefined
        ? request.data
        : { ...request.data, limit: judged.decision.limit }
    const input = this.#readInput(request, mounted, found, data)
    const mount: Mount = mounted.view
    const call = new RequestCall({
      request,
      input,
      verb,
      namespace: root,
      mount,
      caller:
        caller === undefined
          ? undefined
          : viewOf(
              spentView(caller, judged?.usesLeft),
              judged?.decision?.sudo === true,
              request.token ?? '',
            ),
      now: time.now(),
      records: this.#records(() => [...checks(), mounted.check], logged),
      names,
      wrapTtlSeconds: request.wrapTtlSeconds,
    })
    return call
  }

  #readInput(request: Request, mounted: Mounted, found: RouteMatch, data: Request['data']): Input {
    try {
      return readInput(found.route, found.captures, data, request.operation)
    } catch (error) {
      // The reference looks for the alias to lock out before it reads the fields, and fails there (spec/auth.md 6.0).
      const early = found.route.public === true && mounted.engine.lockout === true
      throw early && error instanceof Refusal ? new Refusal('failed', error.message) : error
    }
  }

  /** Records that commit only what rests on these checks, and only once the request is logged. */
  #records(checks: () => readonly Check[], logged?: Promise<void>): Records {
    const { store, cache, queues, keyringCheck } = this.#parts
    return createRecords({
      store,
      cache,
      queues,
      authority: () => [...checks(), keyringCheck()],
      before: () => logged,
    })
  }

  /** A limited token that had its last use dies now, whatever became of the request. */
  async #endSpent(caller: Caller): Promise<void> {
    await this.#revoke(caller.token.key)
  }

  async #revoke(key: Uint8Array): Promise<void> {
    const { root } = this.#parts
    try {
      await this.#parts.own().transact(async (tx) => {
        const record = await tx.get(tokenRef(root, key))
        if (record?.state === 'live') revokeToken(tx, root, { key, record })
      })
    } catch (error) {
      // Without uses it is dead already, and the expiry index cleans up; a withheld token is known to nobody.
      this.#parts.onFault(error, 'the revocation of a token after its request')
    }
  }

  async #failed(error: unknown, request: Request, trail: Trail): Promise<Reply> {
    const { madeToken } = trail
    // The answer of a login that could not be logged is withheld, and nobody may use its token.
    if (madeToken !== undefined) await this.#revoke(madeToken.key)
    return this.#refused(error, request, undefined)
  }

  #refused(error: unknown, request: Request, route: Route | undefined): Reply {
    const refusal = asRefusal(error)
    if (refusal instanceof Refusal) return refused(refusal, route)
    this.#parts.onFault(error, `request ${request.requestId}`)
    const bare = route?.public === true
    const text = faultText(error)
    return errorReply(500, [bare ? text : errorList([text])])
  }
}

/** A refusal as the route tells it, else as all do. */
const refused = (refusal: Refusal, route: Route | undefined): Reply => {
  const own = route?.refusalAs?.(refusal)
  return own === undefined
    ? refusalReply(refusal, route?.public === true)
    : { ...own, headers: own.headers ?? {} }
}

/**
 * What the sender of a request is told whose login came along and led to no token: what the login was answered, with a mark, but for
 * faults, which the reference tells as its own.
 */
const notLoggedIn = (reply: Reply): Reply => {
  if (reply.kind === 'error' && (reply.status === 405 || reply.status >= 500)) {
    return { ...reply, errors: reply.errors.map((text) => INLINE_AUTH_FAILED + text) }
  }
  return reply.kind === 'error' || reply.kind === 'success'
    ? { ...reply, headers: { ...reply.headers, [INLINE_AUTH_MARK]: 'true' } }
    : errorReply(500, [`${INLINE_AUTH_FAILED}the path of the login did not answer like one`])
}

const plainVerb = ({ operation }: Request): Verb =>
  operation === 'header' || operation === 'help' ? 'read' : operation

/** Whether a token may be used from where the request comes. */
const comesFromWithin = (caller: Caller, { remoteAddress }: Request): boolean => {
  const { boundCidrs } = caller.token.record
  return boundCidrs.length === 0 || cidrsContain(boundCidrs, remoteAddress)
}

/** A caller whose last use is being spent shows -1 (spec/auth.md 2.5). */
const spentView = (caller: Caller, usesLeft: number | undefined): Caller =>
  usesLeft === undefined
    ? caller
    : { ...caller, token: { ...caller.token, usesLeft: usesLeft === 0 ? -1 : usesLeft } }

/** Which keys of a list the caller's rule lets through (spec/auth.md 3.9); undefined = all. */
const keyFilter = (
  { path }: Request,
  { caller, decision }: Judged,
): ((key: string) => boolean) | undefined => {
  const template = decision?.listFilter
  if (template === undefined || caller === undefined) return undefined
  return (key) => caller.acl.allowsKey(filterKey(template, path, key))
}

const smallest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || a === 0 ? b || undefined : b === undefined || b === 0 ? a : Math.min(a, b)

/** "Nothing": 204 for writes and deletes, 404 for reads and lists (spec/auth.md 1.6). */
const nothing = (request: Request, call: RequestCall): Reply =>
  isWrite(request.operation) || request.operation === 'delete'
    ? { kind: 'none', hints: call.hints }
    : { ...errorReply(404, []), hints: call.hints }
