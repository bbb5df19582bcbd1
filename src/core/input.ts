import { FieldError } from '../engine/field.ts'
import { invalid } from '../engine/refusal.ts'
import type { Route } from '../engine/route.ts'
import type { Json } from '../std/json.ts'
import { compareBytes } from '../std/json.ts'
import type { Operation } from './request.ts'

/** The typed input of a request on its route. */
export interface Input {
  readonly values: Readonly<Record<string, unknown>>
  readonly sent: ReadonlySet<string>
  /** Body members as they came, on `free` routes. */
  readonly free: Readonly<Record<string, Json>>
  /** About parameters that were ignored or replaced; for answers with a body only. */
  readonly warnings: readonly string[]
}

const NOTHING: Readonly<Record<string, Json>> = Object.freeze(
  Object.create(null) as object,
) as never

/** Coerces what was sent to the route's fields. Throws the recorded 400 for a value that does not fit. */
export const readInput = (
  route: Route,
  captures: Readonly<Record<string, string>>,
  data: Readonly<Record<string, Json>> | undefined,
  operation: Operation,
): Input => {
  const values = Object.create(null) as Record<string, unknown>
  const sent = new Set<string>()
  const body = data ?? NOTHING
  for (const [name, field] of Object.entries(route.fields)) {
    const captured = captures[name]
    const raw = captured ?? (Object.hasOwn(body, name) ? body[name] : undefined)
    if (raw === undefined) {
      values[name] = field.default
      continue
    }
    sent.add(name)
    try {
      values[name] = field.coerce(raw) ?? field.default
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      const text = `error converting input for field "${name}": ${error.message}`
      // Routes with an existence check answer bare (settled.md 7).
      throw invalid(
        route.exists !== undefined && operation === 'update'
          ? text
          : `Field validation failed: ${text}`,
      )
    }
  }
  // What is written to a free route is data; what comes with a read is still a parameter.
  const isData = route.free === true && (operation === 'update' || operation === 'patch')
  return {
    values,
    sent,
    free: isData ? body : NOTHING,
    warnings: isData ? [] : inputWarnings(route, captures, body),
  }
}

const inputWarnings = (
  route: Route,
  captures: Readonly<Record<string, string>>,
  body: Readonly<Record<string, Json>>,
): string[] => {
  const names = Object.keys(body)
  if (names.length === 0) return []
  const ignored = names.filter((name) => !Object.hasOwn(route.fields, name)).sort(compareBytes)
  const replaced = names.filter((name) => Object.hasOwn(captures, name)).sort(compareBytes)
  const warnings: string[] = []
  if (ignored.length > 0) {
    warnings.push(`Endpoint ignored these unrecognized parameters: [${ignored.join(' ')}]`)
  }
  if (replaced.length > 0) {
    warnings.push(
      `Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [${replaced.join(' ')}]`,
    )
  }
  return warnings
}
