const TOKEN_LEASE = /^(.+)\/h([0-9a-f]{32})$/

/** The lease id of a token: where it was made, and its hash. */
export const tokenLeaseId = (path: string, key: Uint8Array): string =>
  `${path}/h${Buffer.from(key).toString('hex')}`

/** The path and hash in a token's lease id; undefined for other texts. */
export const parseLeaseId = (
  id: string,
): { readonly path: string; readonly key: Uint8Array } | undefined => {
  const found = TOKEN_LEASE.exec(id)
  return found === null
    ? undefined
    : { path: found[1]!, key: Uint8Array.from(Buffer.from(found[2]!, 'hex')) }
}

/** The next part of a lease id after a prefix, with its slash when more follows. */
export const nextPart = (id: string, prefix: string): string => {
  const slash = id.indexOf('/', prefix.length)
  return id.slice(prefix.length, slash === -1 ? undefined : slash + 1)
}
