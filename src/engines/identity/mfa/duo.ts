import { createHmac } from 'node:crypto'
import { limits } from '../../../limits.ts'
import type { JsonObject } from '../../../std/json.ts'
import { FactorFault, notCorrect, passcodeOf } from './answers.ts'
import type { Outside, ProviderUser } from './outside.ts'
import { ask, jsonOf, objectIn, objectOf, textIn } from './outside.ts'
import type { DuoMethod } from './records.ts'

const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** Parameters in the order and form in which Duo signs and takes them. */
export const duoParameters = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join('&')

/** The signature of a request (Duo's Auth API: date, verb, host, path and parameters, by HMAC-SHA1 as it demands). */
export const duoAuthorization = (
  {
    apiHostname,
    integrationKey,
    secretKey,
  }: Pick<DuoMethod, 'apiHostname' | 'integrationKey' | 'secretKey'>,
  request: {
    readonly date: string
    readonly verb: string
    readonly path: string
    readonly parameters: string
  },
): string => {
  const { date, verb, path, parameters } = request
  const signed = [date, verb, apiHostname.toLowerCase(), path, parameters].join('\n')
  const hash = createHmac('sha1', secretKey).update(signed).digest('hex')
  return `Basic ${Buffer.from(`${integrationKey}:${hash}`).toString('base64')}`
}

const call = async (
  outside: Outside,
  method: DuoMethod,
  verb: 'GET' | 'POST',
  path: string,
  values: Readonly<Record<string, string>>,
): Promise<JsonObject> => {
  const date = new Date(outside.clock()).toUTCString().replace('GMT', '+0000')
  const parameters = duoParameters(values)
  const authorization = duoAuthorization(method, { date, verb, path, parameters })
  const url = `https://${method.apiHostname}${path}${verb === 'GET' ? `?${parameters}` : ''}`
  const { text } = await ask(outside, 'Duo', url, {
    method: verb,
    headers: {
      date,
      authorization,
      ...(verb === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    },
    ...(verb === 'POST' ? { body: parameters } : {}),
  })
  const answer = objectOf(jsonOf('Duo', text))
  if (textIn(answer, 'stat') !== 'OK') {
    throw new FactorFault(`Duo refused the request: ${JSON.stringify(textIn(answer, 'message'))}`)
  }
  return objectIn(answer, 'response')
}

/** How the push of a transaction ended; looks until it did or time is over. */
const outcomeOf = async (
  outside: Outside,
  method: DuoMethod,
  txid: string,
): Promise<JsonObject> => {
  const until = outside.clock() + limits.pushWaitMs
  for (;;) {
    const status = await call(outside, method, 'GET', '/auth/v2/auth_status', { txid })
    if (textIn(status, 'result') !== 'waiting') return status
    if (outside.clock() >= until) throw new FactorFault('nobody answered the push of Duo in time')
    await outside.pause(limits.pushPauseMs)
  }
}

/** Whether Duo says yes to a user: by a passcode, or by a push that they answer. Throws a FactorFault for anything else. */
export const askDuo = async (
  outside: Outside,
  method: DuoMethod,
  user: ProviderUser,
  sent: readonly string[],
): Promise<void> => {
  const passcode = passcodeOf(sent)
  if (method.usePasscode && passcode === '') throw notCorrect()
  const username = user.name
  const before = await call(outside, method, 'POST', '/auth/v2/preauth', { username })
  const verdict = textIn(before, 'result')
  // Set so by the administrator of Duo for this user.
  if (verdict === 'allow') return
  if (verdict !== 'auth') {
    throw new FactorFault(
      `Duo does not let this user in: ${JSON.stringify(textIn(before, 'status_msg'))}`,
    )
  }
  const common = { username, ipaddr: user.address }
  const result =
    passcode === ''
      ? await outcomeOf(
          outside,
          method,
          textIn(
            await call(outside, method, 'POST', '/auth/v2/auth', {
              ...common,
              factor: 'push',
              device: 'auto',
              async: '1',
              ...(method.pushInfo === '' ? {} : { pushinfo: method.pushInfo }),
            }),
            'txid',
          ),
        )
      : await call(outside, method, 'POST', '/auth/v2/auth', {
          ...common,
          factor: 'passcode',
          passcode,
        })
  if (textIn(result, 'result') !== 'allow') {
    throw new FactorFault(
      `Duo authentication failed: ${JSON.stringify(textIn(result, 'status_msg'))}`,
    )
  }
}
