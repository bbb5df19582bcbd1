import type { HttpAnswer } from './request.ts'

/** What most answers say. */
const USUAL_PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
}

/** The phrases of all others: a module that starts need not wait for (an import statement would even load its WebSocket library: 40 ms). */
const phraseOf = (status: number): string =>
  USUAL_PHRASES[status] ?? process.getBuiltinModule('node:http').STATUS_CODES[status] ?? ''

const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/

/** Whether a message of this status never has a body, nor a length. */
const isBodyless = (status: number): boolean => status === 204 || status === 304 || status < 200

/**
 * Status line and headers of an answer with the empty line that ends them, one character a byte. Every answer carries
 * `Cache-Control: no-store` (spec/auth.md 1.1) unless it has a `Cache-Control` of its own. Throws when a header's value holds a control
 * character: sending it would let it forge headers.
 */
export const responseHead = (
  answer: HttpAnswer,
  length: number | 'chunked' | 'until-close',
  date: string,
  closes: boolean,
): string => {
  const { status, headers, contentType } = answer
  let head = `HTTP/1.1 ${status} ${phraseOf(status)}\r\n`
  if (headers?.['Cache-Control'] === undefined) head += 'Cache-Control: no-store\r\n'
  if (contentType !== undefined) head += `Content-Type: ${contentType}\r\n`
  if (headers !== undefined)
    for (const [name, value] of Object.entries(headers)) {
      if (UNSAFE.test(value) || UNSAFE.test(name)) throw new Error(`unsafe value of header ${name}`)
      head += `${name}: ${value}\r\n`
    }
  head += `Date: ${date}\r\n`
  if (length === 'chunked') head += 'Transfer-Encoding: chunked\r\n'
  else if (length !== 'until-close' && !isBodyless(status)) head += `Content-Length: ${length}\r\n`
  return `${head}Connection: ${closes ? 'close' : 'keep-alive'}\r\n\r\n`
}
