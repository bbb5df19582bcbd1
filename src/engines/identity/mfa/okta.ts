import { limits } from '../../../limits.ts'
import type { Json, JsonObject } from '../../../std/json.ts'
import { FactorFault } from './answers.ts'
import type { Outside, ProviderUser } from './outside.ts'
import { ask, jsonOf, objectIn, objectOf, textIn } from './outside.ts'
import type { OktaMethod } from './records.ts'

const originOf = ({ orgName, baseUrl, production }: OktaMethod): string => {
  const domain = baseUrl === '' ? (production ? 'okta.com' : 'oktapreview.com') : baseUrl
  return `https://${orgName}.${domain}`
}

const call = async (
  outside: Outside,
  method: OktaMethod,
  verb: 'GET' | 'POST',
  url: string,
): Promise<Json> => {
  const { status, text } = await ask(outside, 'Okta', url, {
    method: verb,
    headers: {
      accept: 'application/json',
      authorization: `SSWS ${method.apiToken}`,
      ...(verb === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(verb === 'POST' ? { body: '{}' } : {}),
  })
  if (status < 200 || status > 299) throw new FactorFault(`Okta refused the request (${status})`)
  return jsonOf('Okta', text)
}

const listOf = (value: Json): readonly JsonObject[] =>
  Array.isArray(value) ? value.map((one) => objectOf(one as Json)) : []

/** The id of the one user of a name, which by the method's choice is their login or their primary e-mail address. */
const userId = async (
  outside: Outside,
  method: OktaMethod,
  { name }: ProviderUser,
): Promise<string> => {
  const users = `${originOf(method)}/api/v1/users`
  if (!method.primaryEmail) {
    return textIn(
      objectOf(await call(outside, method, 'GET', `${users}/${encodeURIComponent(name)}`)),
      'id',
    )
  }
  const quoted = name.replace(/[\\"]/g, String.raw`\$&`)
  const filter = encodeURIComponent(`profile.email eq "${quoted}"`)
  const found = listOf(await call(outside, method, 'GET', `${users}?filter=${filter}`))
  return found.length === 1 ? textIn(found[0]!, 'id') : ''
}

/** Whether a user says yes to a push of Okta. Throws a FactorFault for anything else. */
export const askOkta = async (
  outside: Outside,
  method: OktaMethod,
  user: ProviderUser,
): Promise<void> => {
  const id = await userId(outside, method, user)
  if (id === '') throw new FactorFault('Okta knows no single user of this name')
  const factors = `${originOf(method)}/api/v1/users/${encodeURIComponent(id)}/factors`
  const push = listOf(await call(outside, method, 'GET', factors)).find(
    (factor) =>
      textIn(factor, 'factorType') === 'push' &&
      textIn(factor, 'provider') === 'OKTA' &&
      (textIn(factor, 'status') === 'ACTIVE' || textIn(factor, 'status') === ''),
  )
  if (push === undefined) throw new FactorFault('the user has no push factor at Okta')
  const verify = `${factors}/${encodeURIComponent(textIn(push, 'id'))}/verify`
  let state = objectOf(await call(outside, method, 'POST', verify))
  const until = outside.clock() + limits.pushWaitMs
  while (textIn(state, 'factorResult') === 'WAITING') {
    if (outside.clock() >= until) throw new FactorFault('nobody answered the push of Okta in time')
    await outside.pause(limits.pushPauseMs)
    state = objectOf(await call(outside, method, 'GET', pollUrl(method, state)))
  }
  const result = textIn(state, 'factorResult')
  if (result !== 'SUCCESS') throw new FactorFault(`Okta push failed: ${JSON.stringify(result)}`)
}

/** Where to look for the answer; the token goes to the organization's own host and nowhere else. */
const pollUrl = (method: OktaMethod, state: JsonObject): string => {
  const href = textIn(objectIn(objectIn(state, '_links'), 'poll'), 'href')
  const url = URL.parse(href)
  if (url === null || url.origin !== new URL(originOf(method)).origin) {
    throw new FactorFault('the answer of Okta names no place to look for the outcome')
  }
  return url.href
}
