/** A URI of a loopback host, as text: what stands before the port and what follows it. */
const LOOPBACK = /^(https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)$/s

/**
 * Whether a client may have codes sent to a URI: it must be written exactly as one that is registered, but that the port of
 * a loopback host is free (RFC 8252 7.3). Compared as text, so that no two parsers can disagree about what it says.
 */
export const allowsRedirect = (registered: readonly string[], uri: string): boolean => {
  if (registered.includes(uri)) return true
  const asked = LOOPBACK.exec(uri)
  if (asked === null) return false
  return registered.some((one) => {
    const known = LOOPBACK.exec(one)
    return known !== null && known[1] === asked[1] && known[2] === asked[2]
  })
}
