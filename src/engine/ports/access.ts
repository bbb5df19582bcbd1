import type { Call, CallerView, Namespace } from '../call.ts'
import type { LiveToken } from './tokens.ts'
import type { Verb } from '../route.ts'

/** What a token may do, as `sys/capabilities*`, `resultant-acl` and the mount listings ask it. */
export interface AccessPort {
  /** Sorted words per path: `['deny']` when nothing, `['root']` for root. For the caller itself. */
  ofCaller(
    call: Pick<Call, 'caller' | 'namespace'>,
    paths: readonly string[],
  ): Promise<readonly (readonly string[])[]>
  /** The same for another live token. */
  ofToken(
    namespace: Namespace,
    token: LiveToken,
    paths: readonly string[],
  ): Promise<readonly (readonly string[])[]>
  /** `data` of `sys/internal/ui/resultant-acl`; undefined without caller. */
  resultant(
    call: Pick<Call, 'caller' | 'namespace'>,
  ): Promise<Readonly<Record<string, unknown>> | undefined>
  /** Whether any rule of the caller touches a path under this mount path. */
  touches(caller: CallerView, mountPath: string): boolean
  /** Whether the caller may do this without parameters. */
  may(caller: CallerView, verb: Verb, path: string): boolean
}
