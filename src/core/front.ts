import type { Engine } from '../engine/engine.ts'
import { Refusal } from '../engine/refusal.ts'
import type { Route } from '../engine/route.ts'
import { readInput } from './input.ts'
import type { Core } from './core.ts'
import { rootNamespace } from './core.ts'
import { DataReplaced } from './data-replaced.ts'
import { faultText } from './fault-text.ts'
import { asRefusal } from './records.ts'
import type { Reply } from './reply.ts'
import { NO_RAW_BODY, errorReply, refusalReply } from './reply.ts'
import type { Request } from './request.ts'
import { RequestCall } from './request-call.ts'
import type { RouteMatcher } from './router.ts'
import { compileRoutes } from './router.ts'

const SYS = 'sys/'
const SEALED = errorReply(503, ['Vault is sealed'])

export interface FrontOptions {
  /** The engine of `sys/`; its routes that work while sealed are served here. */
  readonly system: Engine
  /** The unsealed server; undefined while sealed. */
  readonly core: () => Core | undefined
  /** Opens the server anew on data that a restore has put there. */
  readonly reopen: () => Promise<unknown>
  readonly log: (message: string, error?: unknown) => void
}

/** Reads through this are a bug of the route: there is no store while sealed. */
const noRecords = new Proxy({} as never, {
  get: (_target, name) => {
    throw new Error(`a route that works while sealed asked for records (${String(name)})`)
  },
})

/**
 * Before the core: answers what works while sealed (`sys/health`, `sys/unseal` …) without token, policy or audit, gives all
 * else to the unsealed core, and says `Vault is sealed` when there is none.
 */
export class Front {
  readonly #options: FrontOptions
  readonly #match: RouteMatcher
  readonly #streamed: RouteMatcher

  constructor(options: FrontOptions) {
    this.#options = options
    this.#streamed = compileRoutes(options.system.routes.filter((route) => route.streamedBody))
    this.#match = compileRoutes(options.system.routes.filter((route) => route.whileSealed === true))
  }

  /** Methods that a raw path answers; undefined for every other path. */
  readonly rawMethods = (path: string): readonly string[] | undefined => {
    const route = this.#routeOf(path)?.route
    if (route === undefined) return undefined
    return [
      ...(route.verbs.read === undefined ? [] : ['GET']),
      ...(route.answersHead === true ? ['HEAD'] : []),
      ...(route.verbs.update === undefined ? [] : ['POST', 'PUT']),
      ...(route.verbs.delete === undefined ? [] : ['DELETE']),
    ]
  }

  /** Whether writes to a path have a body that is taken piece by piece. */
  readonly streamedPaths = (path: string): boolean =>
    path.startsWith(SYS) && this.#streamed(path.slice(SYS.length)) !== undefined

  /** Answers a request; never throws. */
  handle(request: Request): Promise<Reply> {
    const found = this.#routeOf(request.path)
    const core = this.#options.core()
    const judged = found?.route.sudo === true && core !== undefined
    if (found !== undefined && request.operation !== 'help' && !judged) {
      return this.#open(request, found.route, found.captures)
    }
    return core === undefined
      ? Promise.resolve(SEALED)
      : core.handle(request).catch((error: unknown) => this.#handleAnew(error, request, core))
  }

  /** Opens the server anew if the data was replaced beneath `core`, and answers from it. */
  async #handleAnew(reason: unknown, request: Request, core: Core): Promise<Reply> {
    if (!(reason instanceof DataReplaced)) throw reason
    try {
      await this.#options.reopen()
      const anew = this.#options.core()
      if (anew === undefined) return SEALED
      if (anew !== core) return await anew.handle(request)
    } catch (error) {
      if (!(error instanceof DataReplaced))
        this.#options.log('opening the restored data failed', error)
    }
    return errorReply(503, ['a snapshot was restored and is not in use yet; try again'])
  }

  #routeOf(path: string) {
    return path.startsWith(SYS) ? this.#match(path.slice(SYS.length)) : undefined
  }

  async #open(
    request: Request,
    route: Route,
    captures: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    if (request.namespace !== '') return errorReply(400, ['operation unavailable in namespaces'])
    if (request.rawBody !== undefined) return errorReply(415, [NO_RAW_BODY])
    try {
      const head = request.operation === 'header'
      const verb = head || request.operation === 'help' ? 'read' : request.operation
      const handler = route.verbs[verb]
      if (handler === undefined || (head && route.answersHead !== true)) return errorReply(405, [])
      const call = new RequestCall({
        request,
        input: readInput(route, captures, request.data, request.operation),
        verb,
        namespace: rootNamespace,
        mount: noRecords,
        caller: undefined,
        now: Date.now(),
        records: noRecords,
        names: noRecords,
        wrapTtlSeconds: undefined,
      })
      const result = await handler(call as never)
      if (result === undefined) return { kind: 'none', hints: [] }
      if (result.kind !== 'raw') throw new Error(`sys/${route.path} answers bare bodies only`)
      return { ...result, headers: result.headers ?? {} }
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal !== error) this.#options.log(`request ${request.requestId} was refused`, error)
      if (refusal instanceof Refusal) return refusalReply(refusal, true)
      this.#options.log(`request ${request.requestId} failed`, error)
      return errorReply(500, [faultText(error)])
    }
  }
}
