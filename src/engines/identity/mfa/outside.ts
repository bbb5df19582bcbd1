import { setTimeout } from 'node:timers/promises'
import type { Json, JsonObject } from '../../../std/json.ts'
import { JsonNumber, JsonSyntaxError, parseJson } from '../../../std/json.ts'
import { limits } from '../../../limits.ts'
import { FactorFault } from './answers.ts'

/** The world outside, as providers of second factors need it; tests put their own servers in its place. */
export interface Outside {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Waits between two looks at whether a push was answered, ms. */
  readonly pause: (ms: number) => Promise<unknown>
  /** ms since 1970, by the clock of this machine: what providers compare with theirs. */
  readonly clock: () => number
}

/** The real one. */
export const realOutside: Outside = {
  fetch: (url, init) => fetch(url, init),
  pause: (ms) => setTimeout(ms),
  clock: () => Date.now(),
}

/** The user as the provider knows them, and where they log in from. */
export interface ProviderUser {
  readonly name: string
  readonly address: string
}

/** An answer of a provider. */
export interface ProviderAnswer {
  readonly status: number
  readonly text: string
}

const readBounded = async (response: Response): Promise<string> => {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > limits.outboundBodyBytes)
      throw new FactorFault('the answer of the provider is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Asks a provider, within a bound of time and length, following nothing. Throws a FactorFault when no answer comes. */
export const ask = async (
  outside: Outside,
  provider: string,
  url: string,
  init: RequestInit,
): Promise<ProviderAnswer> => {
  try {
    const response = await outside.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(limits.outboundTimeoutMs),
    })
    return { status: response.status, text: await readBounded(response) }
  } catch (error) {
    if (error instanceof FactorFault) throw error
    const late = error instanceof Error && error.name === 'TimeoutError'
    throw new FactorFault(`${provider} ${late ? 'did not answer in time' : 'could not be reached'}`)
  }
}

/** The JSON of an answer. Throws a FactorFault for what is none. */
export const jsonOf = (provider: string, text: string): Json => {
  try {
    return parseJson(text)
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    throw new FactorFault(`the answer of ${provider} is not JSON`)
  }
}

/** A value as an object, {} for anything else. */
export const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)
    ? (value as JsonObject)
    : {}

/** A member that is a text, '' for anything else. */
export const textIn = (object: JsonObject, name: string): string => {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** A member that is an object, {} for anything else. */
export const objectIn = (object: JsonObject, name: string): JsonObject =>
  objectOf(Object.hasOwn(object, name) ? object[name] : undefined)
