import { limits } from '../../../limits.ts'
import type { CompactJws } from '../../../std/compact-jws.ts'
import { MalformedToken, parseCompactJws, signatureAlgorithms } from '../../../std/compact-jws.ts'
import { stringifyJson } from '../../../std/json.ts'

/** Takes a token that this server may have signed apart; PS* are parsed, and then no key fits. Throws MalformedToken, also for `none`, for HMACs and for what is too long. */
export const parseOwnJws = (token: string): CompactJws => {
  const jws = parseCompactJws(token, limits.jwtBytes)
  if (signatureAlgorithms.includes(jws.alg)) return jws
  const names = signatureAlgorithms.map((name) => `"${name}"`).join(' ')
  throw new MalformedToken(
    `unexpected signature algorithm ${stringifyJson(jws.alg)}; expected [${names}]`,
  )
}
