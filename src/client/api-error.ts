/** A request as it is shown to people: method and whole URL, never a header. */
export type ShownRequest = { readonly method: string; readonly url: string }

/** The server answered with an error status; `message` is the reference's text (spec/cli.md 3). */
export class ApiError extends Error {
  readonly status: number
  readonly errors: readonly string[]

  constructor(
    status: number,
    errors: readonly string[],
    raw: string | undefined,
    request: ShownRequest,
    namespace: string | undefined,
  ) {
    const head = [
      'Error making API request.',
      '',
      ...(namespace === undefined ? [] : [`Namespace: ${namespace}`]),
      `URL: ${request.method} ${request.url}`,
    ]
    const body =
      raw === undefined
        ? [`Code: ${status}. Errors:`, '', ...errors.map((text) => `* ${text}`)]
        : [`Code: ${status}. Raw Message:`, '', raw]
    super([...head, ...body].join('\n'))
    this.status = status
    this.errors = errors
  }
}

/** The server could not be reached or did not speak HTTP; `code` is Node's (`ECONNREFUSED` …). */
export class TransportError extends Error {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}
