import { FilterError } from './filter-functions.ts'
import { compileFilter, FilterSyntaxError } from './filter-template.ts'
import { PolicyError } from './policy-error.ts'

const FIELD = 'list_scan_response_keys_filter_path'

/**
 * Refuses a `list_scan_response_keys_filter_path` that cannot be compiled or rendered or that does not tell two keys
 * apart. Throws PolicyError (spec/auth.md 3.3).
 */
export const checkListFilter = (template: string): void => {
  const rendered = (key: string): string => filterKey(template, 'path/', key)
  try {
    if (rendered('first') === rendered('second'))
      throw new PolicyError(`${FIELD} resulted in same path for two different keys`)
  } catch (error) {
    if (error instanceof FilterSyntaxError) {
      throw new PolicyError(
        `unable to compile template for ${FIELD}: unable to parse template: ${error.message}`,
      )
    }
    if (error instanceof FilterError)
      throw new PolicyError(`unable to render template for ${FIELD}: ${error.message}`)
    throw error
  }
}

/** A list is filtered key by key: the template of the last call is the one of the next. */
let last:
  | { readonly template: string; readonly render: ReturnType<typeof compileFilter> }
  | undefined

/**
 * The path that decides whether a listed key stays (spec/auth.md 3.9): ask `Acl.allowsKey`. `path` ends in `/`. The
 * template is one that checkListFilter let pass; throws FilterError when it cannot be rendered for this key.
 */
export const filterKey = (template: string, path: string, key: string): string => {
  if (last?.template !== template) last = { template, render: compileFilter(template) }
  return last.render({ path, key })
}
