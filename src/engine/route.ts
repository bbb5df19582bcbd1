import type { Call } from './call.ts'
import type { Field, Fields, InputOf } from './field.ts'
import type { Ref } from './records.ts'
import type { Refusal } from './refusal.ts'
import type { RawResult, Result } from './result.ts'

/** The operations a handler can be registered for. `create` falls back to `update` and the other way round. */
export type Verb = 'read' | 'list' | 'scan' | 'create' | 'update' | 'patch' | 'delete'

export type Handler<F extends Fields = Fields> = (
  call: Call<InputOf<F>>,
) => Promise<Result> | Result

/**
 * A path an engine serves, as data: router, ACL, validation, `?help=1`, OpenAPI, docs and tests read it.
 *
 * `path` grammar, relative to the mount: literal segments; `:name` one generic name (`\w(([\w-.]+)?\w)?`);
 * `+name` one segment of anything but `/`; `*name` the whole non-empty rest, slashes included; `*name?` the rest, may be
 * empty; `*name` before other segments is as much as leaves those a match. Routes that list or scan tolerate one trailing `/` (a `*` capture keeps it, as `list` wants it). Captures
 * are declared among the fields and override body members of the same name.
 * Routes are tried in the order of the list; the first that matches serves the request.
 */
export interface Route<F extends Fields = Fields> {
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly fields: F
  /** Tolerates a trailing `/` although it does not list: a list of it is then an unsupported operation, not path. */
  readonly slashOrNot?: boolean
  /** No token needed (spec/auth.md: "login" paths): a bad token is ignored, errors are bare. Default: a token with ACL. */
  readonly public?: boolean
  /** On public routes: a token that is sent must be a live one (sys/internal/ui/mounts). */
  readonly refusesBadToken?: boolean
  /** Needs `sudo` besides the operation's capability (spec/auth.md 3.11). */
  readonly sudo?: boolean
  /**
   * The record whose presence makes a write an update rather than a create. Routes with it answer field errors bare
   * (settled.md 7). The core reads it in the request's own commit (A7).
   */
  readonly exists?: (call: Call<InputOf<F>>) => Ref<unknown> | undefined
  /** Further looks at the record that `exists` names: true counts as existing. Default: its presence. */
  readonly counts?: (value: unknown) => boolean
  /** The body's members are the data itself (KV v1, cubbyhole): they arrive as `call.free`, no unknown-field warning. */
  readonly free?: boolean
  /**
   * Takes a body of NDJSON (`Content-Type: application/x-ndjson`) as `call.rawBody`, and its parameters from the query. On other
   * routes such a body is refused (415).
   */
  readonly rawBody?: boolean
  /**
   * The body of writes is taken piece by piece as `call.bodyStream`, whatever its type and length; parameters come from the query.
   * For `sys/` only: such paths are known before a request is routed.
   */
  readonly streamedBody?: boolean
  /** `data` is copied to the top level of the envelope too (spec/auth.md 1.5). */
  readonly copyDataToTop?: boolean
  /**
   * Works while sealed (health, init …): such handlers must not touch `call.records`. With `sudo` (seal) the caller is
   * identified and judged while the server is unsealed, and nobody is asked while it is sealed.
   */
  readonly whileSealed?: boolean
  /** Also answers HEAD, as a read without its body (health). */
  readonly answersHead?: boolean
  /** Not audited and spends no use: health, seal-status, leader. `response`: only the request is audited (seal). */
  readonly unaudited?: boolean | 'response'
  /**
   * Acts on a wrapping token: the field `token`, else the caller's. Anything but a live wrapping token is refused before
   * policies are asked (spec/auth.md 4.1).
   */
  readonly wrappingToken?: boolean
  /** The response is never wrapped, even if asked for. */
  readonly neverWrapped?: boolean
  /** How this route tells a refusal, where it has a form of its own (OIDC userinfo); undefined: as all routes do. */
  readonly refusalAs?: (refusal: Refusal) => RawResult | undefined
  readonly verbs: Partial<Readonly<Record<Verb, Handler<F>>>>
}

/** Declares a route; the handlers' `call.input` is inferred from the fields. */
export const route = <const F extends Fields>(definition: Route<F>): Route =>
  definition as unknown as Route

export type { Field }
