import { limits } from '../../../limits.ts'
import type { CompactJws } from '../../../std/compact-jws.ts'
import { MalformedToken, parseCompactJws } from '../../../std/compact-jws.ts'
import { stringifyJson } from '../../../std/json.ts'

/** What the reference's library takes here; PS* are parsed, and then no key fits. */
const TAKEN = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]

/** Takes a token that this server may have signed apart. Throws MalformedToken, also for `none`, for HMACs and for what is too long. */
export const parseOwnJws = (token: string): CompactJws => {
  const jws = parseCompactJws(token, limits.jwtBytes)
  if (TAKEN.includes(jws.alg)) return jws
  const names = TAKEN.map((name) => `"${name}"`).join(' ')
  throw new MalformedToken(
    `unexpected signature algorithm ${stringifyJson(jws.alg)}; expected [${names}]`,
  )
}
