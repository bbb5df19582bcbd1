import type { Call, CallerView, Namespace } from '../engine/call.ts'
import type { AccessPort } from '../engine/ports/access.ts'
import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Verb } from '../engine/route.ts'
import type { Acl } from '../policy/acl.ts'
import type { Callers } from './callers.ts'
import { callerOf } from './callers.ts'

/** What tokens may do, for the endpoints that tell it; the same ACLs that decide on requests. */
export class Access implements AccessPort {
  readonly #callers: Callers

  constructor(callers: Callers) {
    this.#callers = callers
  }

  async ofCaller(
    call: Pick<Call, 'caller'>,
    paths: readonly string[],
  ): Promise<readonly (readonly string[])[]> {
    const acl = call.caller === undefined ? undefined : callerOf(call.caller).acl
    return paths.map((path) => capabilities(acl, path))
  }

  async ofToken(
    namespace: Namespace,
    token: LiveToken,
    paths: readonly string[],
  ): Promise<readonly (readonly string[])[]> {
    const caller = await this.#callers.ofToken(namespace, token)
    const acl = typeof caller === 'string' ? undefined : caller.acl
    return paths.map((path) => capabilities(acl, path))
  }

  async resultant(
    call: Pick<Call, 'caller'>,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    return call.caller === undefined
      ? undefined
      : (callerOf(call.caller).acl.resultant() as unknown as Readonly<Record<string, unknown>>)
  }

  touches(caller: CallerView, mountPath: string): boolean {
    return callerOf(caller).acl.touches(mountPath)
  }

  may(caller: CallerView, verb: Verb, path: string): boolean {
    return callerOf(caller).acl.decide({ verb, path, sudoPath: false }).allowed
  }
}

const capabilities = (acl: Acl | undefined, path: string): readonly string[] =>
  acl === undefined ? ['deny'] : acl.capabilities(path)
