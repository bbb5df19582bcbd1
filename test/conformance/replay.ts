import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Answer, Case, Json, Step } from './case.ts'
import { differences, normalise } from './compare.ts'
import type { Difference } from './compare.ts'

/** How a step went. */
export type StepResult = {
  readonly index: number
  readonly step: Step
  /** What came, normalised. */
  readonly answer: Answer
  /** Empty: identical. */
  readonly differences: readonly Difference[]
}

/** A server that a case can have for itself. */
export type CaseServer = {
  readonly port: number
  /** Processes that answer; with several, each request has a connection of its own, so that any may. */
  readonly workers?: number
  stop(): Promise<void>
}

/** What a replay is given. */
export type ReplayOptions = {
  readonly start: () => Promise<CaseServer>
  /** Waits the seconds that a step asks for. */
  readonly sleep?: (seconds: number) => Promise<void>
}

const ANSWER_MS = 60_000

/** Sends the case's requests one after the other over one kept connection, and compares each answer. */
export const replay = async (
  { steps, vars = {} }: Case,
  { start, sleep = async (seconds) => wait(seconds * 1_000) }: ReplayOptions,
): Promise<readonly StepResult[]> => {
  const server = await start()
  const agent = new Agent({ keepAlive: (server.workers ?? 1) === 1, maxSockets: 1 })
  const saved = new Map<string, Json>(Object.entries(vars))
  saved.set('addr', `127.0.0.1:${server.port}`)
  const results: StepResult[] = []
  try {
    for (const [index, step] of steps.entries()) {
      if (step.sleep !== undefined) await sleep(step.sleep)
      const sent = await send(step, saved, server.port, agent)
      keep(step, sent, saved)
      const answer = normalise(sent, saved)
      results.push({ index, step, answer, differences: differences(step, answer) })
    }
  } finally {
    agent.destroy()
    await server.stop()
  }
  return results
}

const keep = (step: Step, answer: Answer, saved: Map<string, Json>): void => {
  for (const [name, place] of Object.entries(step.save ?? {})) {
    let value: unknown = answer.body
    for (const key of place.split('.'))
      value = (value as Record<string, unknown> | null | undefined)?.[key]
    if (value !== undefined && value !== null) saved.set(name, value as Json)
  }
}

/** A request that cannot be sent, or gets no answer, has the status 0 and the reason as its body. */
const send = async (
  step: Step,
  saved: ReadonlyMap<string, Json>,
  port: number,
  agent: Agent,
): Promise<Answer> => {
  try {
    const path = fill(step.path, saved)
    const token = fill(step.as ?? 'root', saved)
    const payload = payloadOf(step, saved)
    return await exchange(
      {
        port,
        agent,
        method: step.method,
        path: path.startsWith('/') ? path : `/v1/${path}`,
        headers: {
          ...(token === '' ? {} : { 'X-Vault-Token': token }),
          ...(fill(step.headers ?? {}, saved) as Record<string, string>),
          ...(payload === undefined ? {} : { 'Content-Length': Buffer.byteLength(payload) }),
        },
      },
      payload,
    )
  } catch (error) {
    return { status: 0, type: '', body: String(error) }
  }
}

type Outgoing = {
  readonly port: number
  readonly agent: Agent
  /** Any token: Node's client sends LIST and SCAN as they are. */
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | number>>
}

const exchange = (outgoing: Outgoing, payload: string | undefined): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', timeout: ANSWER_MS, ...outgoing, headers: { ...outgoing.headers } },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const { 'content-type': contentType = '', location } = incoming.headers
          const [type = ''] = contentType.split(';')
          resolve({
            status: incoming.statusCode ?? 0,
            type,
            ...(location === undefined ? {} : { location }),
            body: bodyOf(type, Buffer.concat(chunks).toString()),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${ANSWER_MS / 1_000} s`)))
    sent.end(payload)
  })

/** What calls itself JSON and is not stays a text, as in the recordings. */
const bodyOf = (type: string, text: string): Json => {
  if (!type.endsWith('json')) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

const payloadOf = (step: Step, saved: ReadonlyMap<string, Json>): string | undefined => {
  if (step.text !== undefined) return fill(step.text, saved)
  return step.body === undefined ? undefined : JSON.stringify(fill(step.body, saved))
}

/** Puts saved values in; a text that is nothing but a placeholder becomes the value itself. */
const fill = <T extends Json>(value: T, saved: ReadonlyMap<string, Json>): T => {
  const valueOf = (name: string): Json => {
    const known = saved.get(name)
    if (known === undefined) throw new Error(`nothing was saved as ${name}`)
    return known
  }
  const inText = (text: string): string =>
    text.replace(/\$\{(\w+)\}/g, (_, name: string) => textOf(valueOf(name)))
  const filled = (item: Json): Json => {
    if (Array.isArray(item)) return item.map(filled)
    if (typeof item === 'object' && item !== null)
      return Object.fromEntries(
        Object.entries(item).map(([key, part]) => [inText(key), filled(part)]),
      )
    if (typeof item !== 'string') return item
    const whole = /^\$\{(\w+)\}$/.exec(item)?.[1]
    return whole === undefined ? inText(item) : valueOf(whole)
  }
  return filled(value) as T
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))
