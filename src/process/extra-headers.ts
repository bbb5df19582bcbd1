import type { ResponseHeaders } from '../config/server-config.ts'
import type { HttpAnswer, HttpRequest } from '../http/request.ts'

type Handle = (request: HttpRequest) => Promise<HttpAnswer>

/** Adds the configured headers to answers: those of `default`, then of the status's class (`2xx`), then of the status (spec/sys.md 9.2). */
export const withResponseHeaders = (rules: ResponseHeaders, handle: Handle): Handle => {
  if (rules.size === 0) return handle
  const known = new Map<number, Readonly<Record<string, string>>>()
  const headersFor = (status: number): Readonly<Record<string, string>> => {
    const present = known.get(status)
    if (present !== undefined) return present
    const headers: Record<string, string> = {}
    for (const name of ['default', `${Math.floor(status / 100)}xx`, String(status)]) {
      for (const [header, values] of rules.get(name) ?? []) headers[header] = values.join(', ')
    }
    known.set(status, headers)
    return headers
  }
  return async (request) => {
    const answer = await handle(request)
    return { ...answer, headers: { ...headersFor(answer.status), ...answer.headers } }
  }
}
