import { parseHcl } from '../std/hcl/hcl.ts'
import type { HclBlock } from '../std/hcl/value.ts'
import { hclToBlock } from '../std/hcl/value.ts'
import { localFailure } from './failure.ts'

/** The `token_helper` of a client configuration file; undefined when it has none. Throws a local failure. */
export const tokenHelperOf = (text: string, path: string): string | undefined => {
  let values: HclBlock
  try {
    values = hclToBlock(parseHcl(text))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw localFailure(`Error loading the client configuration ${path}: ${why}`)
  }
  const unknown = Object.keys(values).find((key) => key !== 'token_helper')
  if (unknown !== undefined) {
    throw localFailure(`Error loading the client configuration ${path}: invalid key ${unknown}`)
  }
  const helper = values['token_helper']
  if (typeof helper !== 'string' || helper === '') return undefined
  if (!helper.startsWith('/') && !helper.startsWith('~/')) {
    throw localFailure(
      `Error loading the client configuration ${path}: token_helper must be an absolute path`,
    )
  }
  return helper
}
