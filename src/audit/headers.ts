import type { AuditHeader } from './entry.ts'

/** What sys/config/auditing/request-headers holds: by lower-case name. */
export type AuditedHeaders = ReadonlyMap<string, { readonly hmac: boolean }>

/** The headers of a request that the configuration wants in its entries; undefined when there are none. */
export const auditedHeaders = (
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  config: AuditedHeaders,
): readonly AuditHeader[] | undefined => {
  if (config.size === 0) return undefined
  const found: AuditHeader[] = []
  for (const [name, { hmac }] of config) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (value === undefined) continue
    found.push({ name, values: typeof value === 'string' ? [value] : value, hmac })
  }
  return found.length === 0 ? undefined : found
}
