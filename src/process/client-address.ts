import type { ForwardedFor } from '../config/server-config.ts'
import { renderError } from '../http/envelope.ts'
import type { HttpAnswer, HttpRequest } from '../http/request.ts'
import { cidrsContain } from '../std/cidr.ts'

type Handle = (request: HttpRequest) => Promise<HttpAnswer>

const HEADER = 'x-forwarded-for'

/** The addresses of the chain, the client first; several headers are one list. */
const chainOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined
    ? []
    : (typeof value === 'string' ? [value] : value)
        .join(',')
        .split(',')
        .map((address) => address.trim())
        .filter((address) => address !== '')

/**
 * Believes `X-Forwarded-For` of the proxies that the configuration names: requests then come from the client they tell of
 * (spec/sys.md 9.2). Without any such proxy the header is not looked at.
 */
export const withForwardedFor = (rules: ForwardedFor, handle: Handle): Handle => {
  if (rules.authorized.length === 0) return handle
  return async (request) => {
    const chain = chainOf(request.headers[HEADER])
    if (chain.length === 0) {
      return rules.rejectNotPresent
        ? renderError(400, [
            'missing x-forwarded-for header and configured to reject when not present',
          ])
        : handle(request)
    }
    if (!cidrsContain(rules.authorized, request.remoteAddress)) {
      return rules.rejectNotAuthorized
        ? renderError(400, [
            'client address not authorized for x-forwarded-for and configured to reject connection',
          ])
        : handle(request)
    }
    const address = chain[chain.length - 1 - rules.hopSkips]
    if (address === undefined) {
      return renderError(400, [
        `malformed x-forwarded-for configuration or request, hops to skip (${rules.hopSkips}) would skip before earliest chain link (chain length ${chain.length})`,
      ])
    }
    return handle({ ...request, remoteAddress: address })
  }
}
