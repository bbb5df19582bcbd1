import { invalid } from '../../../engine/refusal.ts'
import type { PingIdMethod } from './records.ts'
import { isBase64 } from '../../../std/base64.ts'

type Settings = Omit<PingIdMethod, 'id' | 'name' | 'type' | 'usernameFormat'>

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']

const MEMBERS: ReadonlyMap<string, keyof Settings> = new Map([
  ['use_base64_key', 'key'],
  ['token', 'token'],
  ['idp_url', 'idpUrl'],
  ['org_alias', 'orgAlias'],
  ['admin_url', 'adminUrl'],
  ['authenticator_url', 'authenticatorUrl'],
])

/** What a settings file of PingID (a Java properties file, in base64) says. Throws the recorded Refusals. */
export const readPingIdSettings = (encoded: string): Settings => {
  const text = encoded.replace(/[\r\n]/g, '')
  if (!isBase64(text)) throw invalid('settings_file_base64 is not base64')
  const settings: { -readonly [K in keyof Settings]: Settings[K] } = {
    key: '',
    token: '',
    useSignature: false,
    idpUrl: '',
    orgAlias: '',
    adminUrl: '',
    authenticatorUrl: '',
  }
  for (const raw of Buffer.from(text, 'base64').toString('utf8').split(/\r?\n/)) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    if (equals === -1) {
      throw invalid(
        `pingid settings file contains a non-empty non-comment line that is not in key=value format: ${JSON.stringify(line)}`,
      )
    }
    const [name, value] = [line.slice(0, equals), line.slice(equals + 1)]
    if (name === 'use_signature') {
      if (!TRUE.includes(value) && !FALSE.includes(value)) {
        throw invalid('error parsing use_signature value in pingid settings file')
      }
      settings.useSignature = TRUE.includes(value)
      continue
    }
    const member = MEMBERS.get(name)
    if (member === undefined) {
      throw invalid(`unknown key ${JSON.stringify(name)} in pingid settings file`)
    }
    Object.assign(settings, { [member]: value })
  }
  return settings
}
