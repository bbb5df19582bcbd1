import type { Call } from '../../../engine/call.ts'
import type { Fields, InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { invalid } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import { readPingIdSettings } from './pingid-settings.ts'
import type { DuoMethod, MethodRecord, OktaMethod, PingIdMethod, TotpMethod } from './records.ts'

/** The fields that methods of all types take. */
const common = {
  method_id: field.string({ default: '', description: 'Id of the method; set: change this one' }),
  method_name: field.string({ default: '', description: 'A name, unique over all types' }),
}

const usernameFormat = field.string({
  default: '',
  description: 'Template of the user name there; empty: the name of the entity',
})

export const totpFields = {
  ...common,
  issuer: field.string({ default: '', description: 'Whom authenticator apps show as the issuer' }),
  period: field.duration({ default: 30, description: 'How long a passcode is valid' }),
  key_size: field.int({ default: 20, description: 'Bytes of a secret' }),
  qr_size: field.int({ default: 200, description: 'Pixels of the QR code; 0: no QR code' }),
  algorithm: field.string({ default: 'SHA1', description: 'SHA1, SHA256 or SHA512' }),
  digits: field.int({ default: 6, description: 'Digits of a passcode: 6 or 8' }),
  skew: field.int({ default: 1, description: 'Periods before and after that count, too: 0 or 1' }),
  max_validation_attempts: field.int({
    default: 0,
    description: 'Wrong passcodes a period before more are refused unseen; 0: 5',
  }),
  enable_self_enrollment: field.bool({
    default: false,
    description: 'Whoever has no secret yet may make one while logging in',
  }),
}

export const oktaFields = {
  ...common,
  username_format: usernameFormat,
  org_name: field.string({ default: '', description: 'The organization, as in its host name' }),
  api_token: field.string({ default: '', description: 'A token of the API of Okta' }),
  base_url: field.string({ description: 'The domain behind the organization; okta.com' }),
  primary_email: field.bool({ default: false, description: 'User names are e-mail addresses' }),
  production: field.bool({
    description: 'okta.com if true, else oktapreview.com (use base_url)',
    deprecated: true,
  }),
}

export const duoFields = {
  ...common,
  username_format: usernameFormat,
  secret_key: field.string({ default: '', description: 'Secret key of the application' }),
  integration_key: field.string({ default: '', description: 'Integration key of the application' }),
  api_hostname: field.string({ default: '', description: 'API host name of the application' }),
  push_info: field.string({ default: '', description: 'Shown with a push, as a query string' }),
  use_passcode: field.bool({ default: false, description: 'Ask for passcodes instead of a push' }),
}

export const pingidFields = {
  ...common,
  username_format: usernameFormat,
  settings_file_base64: field.string({
    default: '',
    description: 'The settings file of PingID, in base64',
  }),
}

type Head = Pick<MethodRecord, 'id' | 'name'>
type In<F extends Fields> = Pick<Call<InputOf<F>>, 'input' | 'has'>

const ALGORITHMS: readonly string[] = ['SHA1', 'SHA256', 'SHA512']

/** A TOTP method of what was sent. Throws the recorded Refusals. */
export const totpMethod = ({ input }: In<typeof totpFields>, head: Head): TotpMethod => {
  if (!ALGORITHMS.includes(input.algorithm)) throw invalid('unrecognized algorithm')
  if (input.digits !== 6 && input.digits !== 8) throw invalid('digits can only be 6 or 8')
  if (input.period <= 0) throw invalid('period must be greater than zero')
  if (input.skew !== 0 && input.skew !== 1) throw invalid('skew must be 0 or 1')
  if (input.key_size <= 0) throw invalid('key_size must be greater than zero')
  if (input.issuer === '') throw invalid('issuer must be set')
  if (input.max_validation_attempts < 0) {
    throw invalid('max_validation_attempts must be greater than zero')
  }
  if (input.key_size > limits.totpKeyBytes) {
    throw invalid(`key_size must be at most ${limits.totpKeyBytes}`)
  }
  if (input.qr_size < 0 || input.qr_size > limits.totpImagePixels) {
    throw invalid(`qr_size must be between 0 and ${limits.totpImagePixels}`)
  }
  if (Buffer.byteLength(input.issuer) > limits.totpIssuerBytes) {
    throw invalid(`issuer must be at most ${limits.totpIssuerBytes} bytes long`)
  }
  return {
    ...head,
    type: 'totp',
    issuer: input.issuer,
    period: input.period,
    keySize: input.key_size,
    qrSize: input.qr_size,
    algorithm: input.algorithm as TotpMethod['algorithm'],
    digits: input.digits,
    skew: input.skew,
    maxValidationAttempts: input.max_validation_attempts || 5,
    selfEnrollment: input.enable_self_enrollment,
  }
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/

/** An Okta method of what was sent. Throws the recorded Refusals, and one for what cannot be part of a host name. */
export const oktaMethod = ({ input, has }: In<typeof oktaFields>, head: Head): OktaMethod => {
  if (input.org_name === '') throw invalid('org_name must be set')
  if (input.api_token === '') throw invalid('api_token must be set')
  const baseUrl = input.base_url ?? (has('production') ? '' : 'okta.com')
  if (!HOST.test(input.org_name)) throw invalid('org_name must be a part of a host name')
  if (baseUrl !== '' && !HOST.test(baseUrl)) throw invalid('base_url must be a host name')
  return {
    ...head,
    type: 'okta',
    usernameFormat: input.username_format,
    orgName: input.org_name,
    apiToken: input.api_token,
    baseUrl,
    production: input.production ?? false,
    primaryEmail: input.primary_email,
  }
}

/** A Duo method of what was sent. Throws the recorded Refusals, and one for what is no host name. */
export const duoMethod = ({ input }: In<typeof duoFields>, head: Head): DuoMethod => {
  if (input.secret_key === '') throw invalid('secret_key is empty')
  if (input.integration_key === '') throw invalid('integration_key is empty')
  if (input.api_hostname === '') throw invalid('api_hostname is empty')
  if (!HOST.test(input.api_hostname)) throw invalid('api_hostname must be a host name')
  return {
    ...head,
    type: 'duo',
    usernameFormat: input.username_format,
    secretKey: input.secret_key,
    integrationKey: input.integration_key,
    apiHostname: input.api_hostname,
    pushInfo: input.push_info,
    usePasscode: input.use_passcode,
  }
}

/** A PingID method of what was sent. Throws the recorded Refusals. */
export const pingidMethod = ({ input }: In<typeof pingidFields>, head: Head): PingIdMethod => {
  if (input.settings_file_base64 === '') throw invalid('settings_file_base64 is empty')
  return {
    ...head,
    type: 'pingid',
    usernameFormat: input.username_format,
    ...readPingIdSettings(input.settings_file_base64),
  }
}

const shownPart = (method: MethodRecord): Readonly<Record<string, unknown>> => {
  switch (method.type) {
    case 'totp':
      return {
        issuer: method.issuer,
        period: method.period,
        digits: method.digits,
        skew: method.skew,
        key_size: method.keySize,
        qr_size: method.qrSize,
        algorithm: method.algorithm,
        max_validation_attempts: method.maxValidationAttempts,
        // Not among the recorded members: shown only where it says something.
        ...(method.selfEnrollment ? { enable_self_enrollment: true } : {}),
      }
    case 'okta':
      return {
        org_name: method.orgName,
        ...(method.baseUrl === ''
          ? { production: method.production }
          : { base_url: method.baseUrl }),
        mount_accessor: '',
        username_format: method.usernameFormat,
      }
    case 'duo':
      return {
        api_hostname: method.apiHostname,
        pushinfo: method.pushInfo,
        mount_accessor: '',
        username_format: method.usernameFormat,
        use_passcode: method.usePasscode,
      }
    case 'pingid':
      return {
        use_signature: method.useSignature,
        idp_url: method.idpUrl,
        org_alias: method.orgAlias,
        admin_url: method.adminUrl,
        authenticator_url: method.authenticatorUrl,
      }
  }
}

/** A method as reads and lists show it: never its secrets. */
export const shownMethod = (
  { namespace }: Pick<Call, 'namespace'>,
  method: MethodRecord,
): Readonly<Record<string, unknown>> => ({
  type: method.type,
  id: method.id,
  name: method.name,
  namespace_id: namespace.id,
  namespace_path: namespace.path,
  ...shownPart(method),
})
