import { stringifyJson } from '../std/json.ts'
import type { Json } from '../std/json.ts'
import type { Mounted } from './mounts.ts'
import type { Reply } from './reply.ts'
import { errorReply } from './reply.ts'
import type { Request } from './request.ts'
import type { RouteMatch } from './router.ts'

const paragraphs = (lines: readonly string[]): string => `${lines.join('\n')}\n`

/** What a path is for, from the same routes that serve it (`?help=1`, the HELP method). */
export const helpReply = (
  request: Request,
  mounted: Mounted,
  found: RouteMatch | undefined,
): Reply => {
  const within = request.path.slice(mounted.record.path.length)
  if (within === '') return raw(overview(mounted), [])
  if (found === undefined) return errorReply(404, [])
  const { route } = found
  const fields = Object.entries(route.fields).map(
    ([name, field]) => `    ${name} (${field.type})\n        ${field.description}`,
  )
  return raw(
    paragraphs([
      `Request:        ${within}`,
      `Matching Route: ${route.path}`,
      '',
      route.summary,
      '',
      '## PARAMETERS',
      '',
      ...(fields.length > 0 ? fields : ['    none']),
      '',
      '## DESCRIPTION',
      '',
      route.description ?? route.summary,
    ]),
    [],
  )
}

const overview = (mounted: Mounted): string => {
  const routes = mounted.engine.routesFor?.(mounted.view) ?? mounted.engine.routes
  return paragraphs([
    '## DESCRIPTION',
    '',
    mounted.engine.summary,
    '',
    '## PATHS',
    '',
    'The following paths are supported by this mount. To see the help of one of them, ask for help at its path.',
    '',
    ...routes.map((route) => `    ${route.path}\n        ${route.summary}`),
  ])
}

const raw = (help: string, seeAlso: readonly string[]): Reply => ({
  kind: 'raw',
  status: 200,
  contentType: 'application/json',
  body: `${stringifyJson({ help, see_also: seeAlso.length > 0 ? seeAlso : null } as unknown as Json)}\n`,
  headers: {},
})
