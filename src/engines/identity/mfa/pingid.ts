import { createHmac, timingSafeEqual } from 'node:crypto'
import type { JsonObject } from '../../../std/json.ts'
import { JsonNumber } from '../../../std/json.ts'
import { FactorFault } from './answers.ts'
import type { Outside, ProviderUser } from './outside.ts'
import { ask, jsonOf, objectIn, objectOf, textIn } from './outside.ts'
import type { PingIdMethod } from './records.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const signatureOf = (key: string, signed: string): Buffer =>
  createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest()

/** A request to PingID: a JWT signed by the key of the settings file. */
export const pingIdRequest = (
  method: Pick<PingIdMethod, 'key' | 'orgAlias' | 'token'>,
  now: number,
  body: Readonly<Record<string, string>>,
): string => {
  const { key, orgAlias, token } = method
  const timestamp = new Date(now).toISOString().replace('T', ' ').replace('Z', '')
  const head = part({ alg: 'HS256', org_alias: orgAlias, token })
  const claims = part({
    reqHeader: { locale: 'en', orgAlias, secretKey: token, timestamp, version: '4.9' },
    reqBody: body,
  })
  return `${head}.${claims}.${signatureOf(key, `${head}.${claims}`).toString('base64url')}`
}

/** The claims of an answer, which PingID signs with the same key. Throws a FactorFault for one that it did not sign. */
const answerOf = (method: PingIdMethod, text: string): JsonObject => {
  const [head = '', claims = '', signature = '', ...more] = text.trim().split('.')
  const given = Buffer.from(signature, 'base64url')
  const wanted = signatureOf(method.key, `${head}.${claims}`)
  const algorithm = textIn(
    objectOf(jsonOf('PingID', Buffer.from(head, 'base64url').toString() || '{}')),
    'alg',
  )
  const genuine =
    more.length === 0 &&
    algorithm === 'HS256' &&
    given.length === wanted.length &&
    timingSafeEqual(given, wanted)
  if (!genuine)
    throw new FactorFault('the answer of PingID is not signed with the key of the settings')
  return objectOf(jsonOf('PingID', Buffer.from(claims, 'base64url').toString()))
}

/** `errorId` of a yes. */
const OK = 200

/** Whether a user says yes to a push of PingID. Throws a FactorFault for anything else. */
export const askPingId = async (
  outside: Outside,
  method: PingIdMethod,
  user: ProviderUser,
): Promise<void> => {
  const url = `${method.idpUrl.replace(/\/+$/, '')}/rest/4/authonline/do`
  const { status, text } = await ask(outside, 'PingID', url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: pingIdRequest(method, outside.clock(), {
      spAlias: 'web',
      userName: user.name,
      authType: 'CONFIRM',
    }),
  })
  // Refusals come signed, too, with another status.
  if (text === '') throw new FactorFault(`PingID gave no answer (${status})`)
  const body = objectIn(answerOf(method, text), 'responseBody')
  const code = body['errorId']
  const number = code instanceof JsonNumber ? Number(code.literal) : code
  if (status !== 200 || number !== OK) {
    throw new FactorFault(
      `PingID authentication failed: ${JSON.stringify(textIn(body, 'errorMsg'))}`,
    )
  }
}
