import type { ConfigBlock } from './config-block.ts'
import type { AuditConfig } from './server-config.ts'
import { trimSlashes } from '../std/trim-slashes.ts'

/** `audit "<type>" "<path>" { … }`. */
export const parseAudit = (type: string, path: string, block: ConfigBlock): AuditConfig => {
  const trimmed = trimSlashes(path)
  if (trimmed === '') throw block.wrong('the path of the audit device is missing')
  return {
    type,
    path: `${trimmed}/`,
    description: block.text('description') ?? '',
    local: block.boolean('local') === true,
    options: block.texted('options') ?? new Map(),
  }
}
