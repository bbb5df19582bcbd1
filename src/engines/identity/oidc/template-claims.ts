import { invalid } from '../../../engine/refusal.ts'
import type { Json, JsonObject } from '../../../std/json.ts'
import { JsonNumber, JsonSyntaxError, parseJson } from '../../../std/json.ts'
import type { TemplateEntity, TemplateSubject } from './template.ts'
import { TemplateError, renderTemplate } from './template.ts'
import { isBase64 } from '../../../std/base64.ts'

/** Claims that no template may set, in the order in which the refusal lists them. */
const RESERVED = [
  'iat',
  'aud',
  'exp',
  'iss',
  'sub',
  'namespace',
  'nonce',
  'auth_time',
  'at_hash',
  'c_hash',
] as const

const NOBODY: TemplateEntity = { id: '', name: '', metadata: {}, groups: [], aliases: new Map() }

/** A template as it is kept: base64 is decoded. */
const decoded = (sent: string): string => {
  const text = sent.replace(/[\r\n]/g, '')
  return isBase64(text) ? Buffer.from(text, 'base64').toString() : sent
}

const typeName = (value: Json): string =>
  Array.isArray(value)
    ? 'array'
    : value instanceof JsonNumber
      ? 'number'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value

/** The object of a JSON text; `null` is an empty one. Throws JsonSyntaxError. */
const objectOf = (text: string): JsonObject => {
  const value = parseJson(text)
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof JsonNumber) {
    throw new JsonSyntaxError(
      `json: cannot unmarshal ${typeName(value)} into Go value of type map[string]interface {}`,
    )
  }
  return value as JsonObject
}

/** Checks a template that a role or scope is given, and gives it as it is kept. Throws the recorded Refusals. */
export const readTemplate = (sent: string, now: number): string => {
  const template = decoded(sent)
  if (template === '') return template
  const keys = topLevelKeys(template, now)
  const reserved = RESERVED.find((name) => keys.includes(name))
  if (reserved !== undefined) {
    throw invalid(
      `top level key "${reserved}" not allowed. Restricted keys: ${RESERVED.join(', ')}`,
    )
  }
  return template
}

/** The claims a template sets, whoever it is rendered for. Throws a Refusal when it is no template of an object. */
export const topLevelKeys = (template: string, now: number): readonly string[] => {
  try {
    return Object.keys(objectOf(renderTemplate(template, { now, entity: NOBODY })))
  } catch (error) {
    if (error instanceof TemplateError) throw invalid(`error parsing template: ${error.message}`)
    if (error instanceof JsonSyntaxError) {
      throw invalid(`error parsing template JSON: ${error.message}`)
    }
    throw error
  }
}

/** The claims of a template for somebody, reserved ones left out; undefined when it does not render for them. */
export const claimsOf = (template: string, subject: TemplateSubject): JsonObject | undefined => {
  if (template === '') return {}
  try {
    const claims = Object.create(null) as Record<string, Json>
    const rendered = objectOf(renderTemplate(template, subject))
    for (const [name, value] of Object.entries(rendered)) {
      const reserved = (RESERVED as readonly string[]).includes(name)
      if (!reserved && value !== undefined) claims[name] = value
    }
    return claims
  } catch (error) {
    if (error instanceof TemplateError || error instanceof JsonSyntaxError) return undefined
    throw error
  }
}
