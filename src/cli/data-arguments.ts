import { readFile } from 'node:fs/promises'
import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, isRawNumber, parseLiteral } from '../client/literal-json.ts'
import { localFailure } from './failure.ts'
import type { CommandIo } from './io.ts'

const failed = (why: string): Error => localFailure(`Failed to parse K=V data: ${why}`)

/**
 * The data that a command's arguments describe (spec/cli.md 5): `k=v`, `k=@file`, `k=-`, a lone `-` or `@file` with a
 * JSON object; a repeated key makes a list. Every value is text but those of the JSON objects. Throws local failures.
 */
export const parseData = async (
  args: readonly string[],
  io: Pick<CommandIo, 'readStdin'>,
): Promise<LiteralObject> => {
  const data: Record<string, LiteralValue> = Object.create(null) as Record<string, LiteralValue>
  let stdinRead = false
  const stdin = async (): Promise<string> => {
    if (stdinRead) throw failed('stdin already consumed')
    stdinRead = true
    return await io.readStdin()
  }
  const add = (key: string, value: LiteralValue): void => {
    const before = data[key]
    if (before === undefined) data[key] = value
    else
      data[key] = Array.isArray(before) ? [...(before as LiteralValue[]), value] : [before, value]
  }
  const addAll = (text: string): void => {
    for (const [key, value] of Object.entries(parseObject(text))) add(key, value)
  }
  for (const word of args) {
    if (word === '-') {
      addAll(await stdin())
      continue
    }
    const at = word.indexOf('=')
    if (at < 0 && word.startsWith('@')) {
      addAll(await fileText(word.slice(1)))
      continue
    }
    if (at < 1) {
      throw failed(`invalid key/value pair ${JSON.stringify(word)}: format must be key=value`)
    }
    const key = word.slice(0, at)
    const value = word.slice(at + 1)
    if (value === '-') add(key, await stdin())
    else if (value.startsWith('@')) add(key, await fileText(value.slice(1)))
    else add(key, value.startsWith('\\@') ? value.slice(1) : value)
  }
  return data
}

const parseObject = (text: string): LiteralObject => {
  let value: LiteralValue
  try {
    value = parseLiteral(text)
  } catch {
    throw failed('the data is not JSON')
  }
  if (!isObject(value)) throw failed('the data is not a JSON object')
  return value
}

const fileText = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw failed(`error reading file: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Data as query parameters: every value as text, lists repeated. Throws a local failure for nested values. */
export const queryOf = (data: LiteralObject): Record<string, string | readonly string[]> =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map((item) => queryText(key, item)) : queryText(key, value),
    ]),
  )

const queryText = (key: string, value: LiteralValue): string => {
  if (isRawNumber(value)) return value.rawJSON
  if (Array.isArray(value) || isObject(value)) {
    throw failed(`the value of ${JSON.stringify(key)} cannot be a query parameter`)
  }
  return String(value as string | number | boolean | null)
}
