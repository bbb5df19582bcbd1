import type { AuditTrail } from '../audit/audit-trail.ts'
import type { AuditBroker } from '../audit/broker.ts'
import type { AuditAuth, AuditMount, AuditRequest, AuditResponse } from '../audit/entry.ts'
import type { AuditedHeaders } from '../audit/headers.ts'
import { auditedHeaders } from '../audit/headers.ts'
import type { Namespace } from '../engine/call.ts'
import type { MountRecord } from '../engine/ports/mounts.ts'
import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Refusal } from '../engine/refusal.ts'
import type { Verb } from '../engine/route.ts'
import type { Decision } from '../policy/acl.ts'
import type { JsonObject } from '../std/json.ts'
import type { Caller } from './callers.ts'
import type { LoggedIn } from './login.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** What became known of a request before its first entry is written. */
export interface Known {
  readonly caller: Caller | undefined
  readonly decision: Decision | undefined
  readonly mount: MountRecord | undefined
  readonly verb: Verb
  readonly usesLeft: number | undefined
}

/** The audit trail of one request. Both methods reject when devices are on and none took the entry (fail closed). */
export interface Trail {
  request(known: Known, refusal: Refusal | undefined): Promise<void>
  loggedIn(login: LoggedIn, entityCreated: boolean): void
  response(reply: Reply): Promise<void>
  /** The token that a login of this request made, if its answer must be withheld. */
  readonly madeToken: LiveToken | undefined
}

/** Begins trails. */
export class Trails {
  readonly #broker: AuditBroker
  readonly #root: Namespace
  readonly #version: string
  readonly #headers: () => AuditedHeaders
  readonly #mounts = new WeakMap<MountRecord, AuditMount>()

  constructor(
    broker: AuditBroker,
    root: Namespace,
    version: string,
    headers: () => AuditedHeaders,
  ) {
    this.#headers = headers
    this.#broker = broker
    this.#root = root
    this.#version = version
  }

  begin(request: Request): Trail {
    return new RequestTrail(this, request)
  }

  /** Whether anything is written at all. */
  get on(): boolean {
    return this.#broker.devices().length > 0
  }

  /** The broker's trail of a request. */
  open(request: Request, known: Known): AuditTrail {
    const entry: AuditRequest = {
      id: request.requestId,
      operation: request.operation === 'help' ? 'help' : known.verb,
      path: request.path,
      namespace: { id: this.#root.id, path: this.#root.path },
      mount: known.mount === undefined ? undefined : this.#mountOf(known.mount),
      clientId: known.caller?.token.record.entityId || undefined,
      clientToken: request.token,
      clientTokenAccessor: known.caller?.token.record.accessor,
      data: request.data as JsonObject | undefined,
      remoteAddress: request.remoteAddress,
      remotePort: request.remotePort,
      wrapTtlSeconds: request.wrapTtlSeconds,
      headers: auditedHeaders(request.headers, this.#headers()),
    }
    return this.#broker.begin(entry)
  }

  #mountOf(record: MountRecord): AuditMount {
    const known = this.#mounts.get(record)
    if (known !== undefined) return known
    const made: AuditMount = {
      point: record.path,
      type: record.type,
      accessor: record.accessor,
      class: record.class,
      runningVersion: this.#version,
      nonHmacRequestKeys: new Set(record.tuning.auditNonHmacRequestKeys),
      nonHmacResponseKeys: new Set(record.tuning.auditNonHmacResponseKeys),
    }
    this.#mounts.set(record, made)
    return made
  }
}

const DONE = Promise.resolve()

class RequestTrail implements Trail {
  readonly #trails: Trails
  readonly #request: Request
  #trail: AuditTrail | undefined
  #auth: AuditAuth | undefined
  #login: AuditAuth | undefined
  madeToken: LiveToken | undefined

  constructor(trails: Trails, request: Request) {
    this.#trails = trails
    this.#request = request
  }

  request(known: Known, refusal: Refusal | undefined): Promise<void> {
    // Decided anew after a conflict: its entry stands already.
    if (this.#trail !== undefined || !this.#trails.on) return DONE
    this.#trail = this.#trails.open(this.#request, known)
    this.#auth = authOf(known, this.#request.token)
    return this.#trail.request(this.#auth, refusal?.message)
  }

  loggedIn({ token, auth, entityName }: LoggedIn, entityCreated: boolean): void {
    this.madeToken = token
    this.#login = {
      clientToken: auth.clientToken,
      accessor: auth.accessor,
      displayName: token.record.displayName,
      policies: [...new Set([...auth.tokenPolicies, ...auth.identityPolicies])].sort(),
      tokenPolicies: auth.tokenPolicies,
      identityPolicies: auth.identityPolicies,
      metadata: auth.metadata,
      numUses: auth.numUses,
      entityId: auth.entityId,
      entityName,
      entityCreated,
      tokenType: auth.tokenType,
      tokenTtlSeconds: auth.leaseDurationSeconds,
      tokenIssueTime: token.record.createdAt,
    }
  }

  response(reply: Reply): Promise<void> {
    if (this.#trail === undefined) return DONE
    const error = reply.kind === 'error' ? reply.errors.join('; ') : undefined
    return this.#trail.response(this.#auth, responseOf(reply, this.#login), error || undefined)
  }
}

/** What was made of a caller for the last decision: most of its requests are granted by the same rule. */
const made = new WeakMap<
  Caller,
  { readonly granting: Decision['granting']; readonly allowed: boolean; readonly auth: AuditAuth }
>()

const authOf = (known: Known, text: string | undefined): AuditAuth | undefined => {
  const { caller, decision, usesLeft } = known
  if (caller === undefined) return undefined
  if (decision === undefined || usesLeft !== undefined) return makeAuth(known, caller, text)
  const { allowed, granting } = decision
  const before = made.get(caller)
  const same =
    before !== undefined &&
    before.allowed === allowed &&
    before.auth.clientToken === text &&
    sameGranting(before.granting, granting)
  if (same) return before.auth
  const auth = makeAuth(known, caller, text)
  made.set(caller, { allowed, granting, auth })
  return auth
}

const sameGranting = (a: Decision['granting'], b: Decision['granting']): boolean =>
  a.length === b.length && a.every(({ policy }, at) => policy === b[at]!.policy)

const makeAuth = (
  { decision, usesLeft }: Known,
  caller: Caller,
  text: string | undefined,
): AuditAuth => {
  const { record } = caller.token
  return {
    clientToken: text,
    accessor: record.accessor,
    displayName: record.displayName,
    policies: caller.policies,
    tokenPolicies: record.policies,
    identityPolicies: caller.identityPolicies,
    policyResults:
      decision === undefined
        ? undefined
        : {
            allowed: decision.allowed,
            grantingPolicies: caller.root
              ? [{ name: 'root', namespaceId: 'root', namespacePath: '', type: 'acl' }]
              : decision.granting.map(({ policy }) => ({
                  name: policy,
                  namespaceId: 'root',
                  namespacePath: '',
                  type: 'acl' as const,
                })),
          },
    metadata: record.meta,
    numUses: record.numUses,
    remainingUses: usesLeft,
    entityId: record.entityId,
    entityName: caller.subject?.name,
    tokenType: caller.token.type,
    tokenTtlSeconds: record.creationTtl,
    tokenIssueTime: record.createdAt,
  }
}

const responseOf = (reply: Reply, login: AuditAuth | undefined): AuditResponse | undefined => {
  switch (reply.kind) {
    case 'none':
      return undefined
    case 'raw':
      return {}
    case 'stream':
      return { data: reply.summary() }
    case 'error':
      return reply.data === undefined ? undefined : { data: reply.data as JsonObject }
    case 'success': {
      const { wrapInfo } = reply
      return {
        auth: login,
        data: (reply.audited ?? reply.data ?? undefined) as JsonObject | undefined,
        warnings: reply.warnings,
        wrapInfo:
          wrapInfo === undefined
            ? undefined
            : {
                ttlSeconds: wrapInfo.ttlSeconds,
                token: wrapInfo.token,
                accessor: wrapInfo.accessor,
                creationTime: new Date(wrapInfo.createdAt).toISOString(),
                creationPath: wrapInfo.creationPath,
                wrappedAccessor: wrapInfo.wrappedAccessor || undefined,
              },
      }
    }
  }
}
