import type { ListenerCors } from '../config/server-config.ts'
import { USUAL_CORS_HEADERS } from '../engines/system/cors.ts'
import type { Settings } from '../engines/system/settings.ts'
import type { CorsRules } from '../http/cors.ts'
import type { HttpAnswer, PageRequest } from '../http/request.ts'

type Pages = (request: PageRequest) => Promise<HttpAnswer>

const withUsual = (rules: ListenerCors): CorsRules => ({
  ...rules,
  headers: [...USUAL_CORS_HEADERS, ...rules.headers],
})

/** What pages of other origins may do at a listener: what its configuration says, else what is set over the API. */
export const corsAt = (
  configured: ListenerCors | undefined,
  settings: () => Promise<Settings>,
): (() => Promise<CorsRules | undefined>) => {
  if (configured !== undefined) {
    const rules = withUsual(configured)
    return async () => rules
  }
  return async () => {
    const { cors } = await settings()
    return cors === undefined ? undefined : withUsual(cors)
  }
}

/** Pages with the headers that are set for them (`sys/config/ui/headers`), which win over their own. */
export const withUiHeaders =
  (pages: Pages, settings: () => Promise<Settings>): Pages =>
  async (request) => {
    const answer = await pages(request)
    const { uiHeaders = [] } = await settings()
    if (uiHeaders.length === 0) return answer
    const set = uiHeaders.map(([name, values]) => [name, values.join(', ')] as const)
    const replaced = new Set(set.map(([name]) => name.toLowerCase()))
    const own = Object.entries(answer.headers ?? {}).filter(
      ([name]) => !replaced.has(name.toLowerCase()),
    )
    return { ...answer, headers: Object.fromEntries([...own, ...set]) }
  }
