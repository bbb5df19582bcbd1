import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { invalid } from '../../engine/refusal.ts'
import { JsonSyntaxError, parseJson } from '../../std/json.ts'
import type { AuditDevice, DeviceHost } from '../device.ts'
import { option } from '../device-options.ts'
import type { DeviceOptions } from '../device-options.ts'
import { failureText } from '../failure-text.ts'
import { QueueFull } from '../line-queue.ts'
import { auditLimits } from '../limits.ts'

const FAILURE_FROM = 300
const ENVIRONMENT = 'env://'
const FILE = 'file://'

/** The option `headers`: the JSON text of a map from names to lists of values. */
const headersOf = (text: string): readonly (readonly [string, string])[] => {
  const refused = (): Error =>
    invalid('headers must be the JSON text of a map from names to lists of strings')
  let map: unknown
  try {
    map = parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw refused()
    throw error
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw refused()
  const headers = Object.entries(map).flatMap(([name, values]: [string, unknown]) => {
    if (!Array.isArray(values)) throw refused()
    return values.map((value: unknown): readonly [string, string] => {
      if (typeof value !== 'string') throw refused()
      return [name, value]
    })
  })
  try {
    // Says whether a client can send them at all.
    void new Headers(headers.map(([name, value]): [string, string] => [name, value]))
  } catch {
    throw invalid('headers holds a name or a value that a header cannot have')
  }
  return headers
}

/** The address itself is not repeated in refusals: it may hold a key. */
const checkedUri = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid('uri must be an http or https address, or env:// or file:// and where it stands')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('uri must not hold a user name or password: use headers')
  }
  return url.href
}

/** Posts each entry to a collector (options `uri`, `headers`). */
export const httpDevice = (options: DeviceOptions, host: DeviceHost): AuditDevice => {
  const uri = option(options, 'uri') ?? ''
  if (uri === '') throw invalid('uri is required')
  if (!uri.startsWith(ENVIRONMENT) && !uri.startsWith(FILE)) checkedUri(uri)
  return new HttpDevice(uri, headersOf(option(options, 'headers') || '{}'), host)
}

class HttpDevice implements AuditDevice {
  readonly #uri: string
  readonly #headers: readonly (readonly [string, string])[]
  readonly #host: DeviceHost
  readonly #posts = new Set<Promise<void>>()
  #target: string | undefined
  #waiting = 0

  constructor(uri: string, headers: readonly (readonly [string, string])[], host: DeviceHost) {
    this.#uri = uri
    this.#headers = headers
    this.#host = host
  }

  async open(): Promise<void> {
    this.#target ??= checkedUri(await this.#resolved())
  }

  async write(line: string): Promise<void> {
    if (this.#waiting > 0 && this.#waiting + line.length > auditLimits.waitingUnits) {
      throw new QueueFull('too many entries are waiting for the device')
    }
    const post = this.#post(line)
    this.#posts.add(post)
    this.#waiting += line.length
    try {
      await post
    } finally {
      this.#waiting -= line.length
      this.#posts.delete(post)
    }
  }

  async reopen(): Promise<void> {
    this.#target = undefined
    await this.open()
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#posts)
  }

  async #resolved(): Promise<string> {
    if (this.#uri.startsWith(ENVIRONMENT)) {
      const name = this.#uri.slice(ENVIRONMENT.length)
      const value = this.#host.environment[name]
      if (value === undefined) throw new Error(`the environment has no ${name}`)
      return value
    }
    if (!this.#uri.startsWith(FILE)) return this.#uri
    return (await readFile(fileURLToPath(this.#uri), 'utf8')).trim()
  }

  async #post(line: string): Promise<void> {
    await this.open()
    const headers = new Headers()
    for (const [name, value] of this.#headers) headers.append(name, value)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    const answer = await this.#answer(this.#target!, headers, line)
    await answer.body?.cancel()
    if (answer.status >= FAILURE_FROM) throw new Error(`the collector answered ${answer.status}`)
  }
  async #answer(target: string, headers: Headers, body: string): Promise<Response> {
    const signal = AbortSignal.timeout(auditLimits.networkMs)
    try {
      return await fetch(target, { method: 'POST', headers, body, redirect: 'manual', signal })
    } catch (error) {
      // What fetch says itself is only that it failed.
      const cause = error instanceof Error ? (error.cause ?? error) : error
      throw new Error(`the collector cannot be reached: ${failureText(cause)}`, { cause: error })
    }
  }
}
