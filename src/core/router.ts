import type { Route } from '../engine/route.ts'

/** A route that serves a path, and what the path captured. */
export interface RouteMatch {
  readonly route: Route
  readonly captures: Readonly<Record<string, string>>
}

/** Finds the route of a path relative to its mount; undefined when there is none. */
export type RouteMatcher = (path: string) => RouteMatch | undefined

interface Compiled {
  readonly route: Route
  readonly names: readonly string[]
  /** Undefined for a path of literals only, which is looked up. */
  readonly pattern: RegExp | undefined
}

const GENERIC = String.raw`(\w(?:[\w\-.]+)?\w|\w)`

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

const segmentPattern = (segment: string, names: string[]): string => {
  const name = segment.slice(1)
  switch (segment.charAt(0)) {
    case ':':
      names.push(name)
      return GENERIC
    case '+':
      names.push(name)
      return '([^/]+)'
    case '*':
      names.push(name.replace(/\?$/, ''))
      return name.endsWith('?') ? '(.*)' : '(.+)'
    default:
      return escape(segment)
  }
}

const lists = (route: Route): boolean =>
  route.slashOrNot === true || route.verbs.list !== undefined || route.verbs.scan !== undefined

const isDynamic = (segment: string): boolean => /^[:+*]/.test(segment)

const compile = (route: Route): Compiled => {
  const segments = route.path === '' ? [] : route.path.split('/')
  const names: string[] = []
  const last = segments.at(-1) ?? ''
  const rest = last.startsWith('*')
  if (!segments.some(isDynamic)) return { route, names, pattern: undefined }
  const body = segments.map((segment) => segmentPattern(segment, names)).join('/')
  // `x/*rest?` also serves `x` and `x/`.
  const optional = rest && last.endsWith('?') && segments.length > 1
  const text = optional ? body.replace(/\/\(\.\*\)$/, '(?:/(.*))?') : body
  return { route, names, pattern: new RegExp(`^${text}${!rest && lists(route) ? '/?' : ''}$`, 's') }
}

const NO_CAPTURES: Readonly<Record<string, string>> = Object.freeze(
  Object.create(null) as object,
) as never

/** Compiles the routes of an engine: literal paths are looked up, others tried in their order; the first in the list wins. */
export const compileRoutes = (routes: readonly Route[]): RouteMatcher => {
  const literal = new Map<string, number>()
  const byHead = new Map<string, number[]>()
  const anyHead: number[] = []
  const compiled = routes.map(compile)
  for (const [index, { route, pattern }] of compiled.entries()) {
    if (pattern === undefined) {
      if (!literal.has(route.path)) literal.set(route.path, index)
      if (lists(route) && route.path !== '' && !literal.has(`${route.path}/`)) {
        literal.set(`${route.path}/`, index)
      }
      continue
    }
    const head = route.path.split('/', 1)[0]!
    if (isDynamic(head)) anyHead.push(index)
    else byHead.set(head, [...(byHead.get(head) ?? []), index])
  }
  const ordered = new Map(
    [...byHead].map(([head, indexes]) => [head, [...indexes, ...anyHead].sort((a, b) => a - b)]),
  )
  return (path) => {
    const fixed = literal.get(path) ?? Infinity
    const slash = path.indexOf('/')
    const head = slash === -1 ? path : path.slice(0, slash)
    for (const index of ordered.get(head) ?? anyHead) {
      if (index > fixed) break
      const { route, pattern, names } = compiled[index]!
      const found = pattern!.exec(path)
      if (found === null) continue
      const captures = Object.create(null) as Record<string, string>
      for (const [at, name] of names.entries()) captures[name] = found[at + 1] ?? ''
      return { route, captures }
    }
    return fixed === Infinity ? undefined : { route: compiled[fixed]!.route, captures: NO_CAPTURES }
  }
}
