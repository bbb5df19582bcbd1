import { compareBytes, stringifyJson } from '../std/json.ts'
import type {
  AuditAuth,
  AuditHeader,
  AuditList,
  AuditMount,
  AuditPolicy,
  AuditRequest,
  AuditResponse,
  AuditWrapInfo,
} from './entry.ts'
import { secondTime } from './entry-time.ts'
import { hashedObject, quoted } from './hashed-json.ts'
import type { Conceal } from './hashed-json.ts'

/** How one device writes entries. */
export interface EntryForm {
  /** Tokens, data and headers. */
  readonly conceal: Conceal
  /** Accessors: like `conceal`, unless the device shows them. */
  readonly concealAccessor: Conceal
  /** Lists are written as counts, however short. */
  readonly elideLists: boolean
  /** Arrays and objects of an answer with more members are written as counts. */
  readonly itemsMax: number
}

/** `,"name":value` for what is not empty; the first comma is cut off by `object`. */
const text = (name: string, value: string | undefined): string =>
  value === undefined || value === '' ? '' : `,"${name}":${quoted(value)}`
const number = (name: string, value: number | undefined): string =>
  value === undefined || value === 0 ? '' : `,"${name}":${value}`
const flag = (name: string, value: boolean | undefined): string =>
  value === true ? `,"${name}":true` : ''
const hidden = (name: string, value: string | undefined, conceal: Conceal): string =>
  value === undefined || value === '' ? '' : `,"${name}":${conceal(value)}`
const part = (name: string, value: string): string =>
  value === '' || value === '{}' ? '' : `,"${name}":${value}`
const object = (members: string): string => `{${members.slice(1)}}`

const listText = (values: readonly string[]): string => {
  let list = ''
  for (const value of values) list += `${list === '' ? '' : ','}${quoted(value)}`
  return `[${list}]`
}
const list = (name: string, values: readonly string[] | undefined): string =>
  values === undefined || values.length === 0 ? '' : `,"${name}":${listText(values)}`

const map = (
  name: string,
  value: Readonly<Record<string, string | readonly string[]>> | null | undefined,
): string => (value === null || value === undefined ? '' : part(name, stringifyJson(value)))

const policyText = (policy: AuditPolicy): string =>
  object(
    text('name', policy.name) +
      text('namespace_id', policy.namespaceId) +
      text('namespace_path', policy.namespacePath) +
      // The one member that is written though empty: root needs no type.
      `,"type":"${policy.type}"`,
  )

const policyResults = (results: AuditAuth['policyResults']): string => {
  if (results === undefined) return ''
  const granting = results.grantingPolicies
  const policies =
    granting.length === 0 ? '' : `,"granting_policies":[${granting.map(policyText).join(',')}]`
  return `,"policy_results":{"allowed":${results.allowed}${policies}}`
}

const authText = (auth: AuditAuth | undefined, form: EntryForm, asking: boolean): string => {
  if (auth === undefined) return '{"token_type":"default"}'
  return object(
    hidden('client_token', auth.clientToken, form.conceal) +
      hidden('accessor', auth.accessor, form.concealAccessor) +
      text('display_name', auth.displayName) +
      list('policies', auth.policies) +
      list('token_policies', auth.tokenPolicies) +
      list('identity_policies', auth.identityPolicies) +
      map('external_namespace_policies', auth.externalNamespacePolicies) +
      flag('no_default_policy', auth.noDefaultPolicy) +
      (asking ? policyResults(auth.policyResults) : '') +
      map('metadata', auth.metadata) +
      number('num_uses', auth.numUses) +
      (asking ? number('remaining_uses', auth.remainingUses) : '') +
      text('entity_id', auth.entityId) +
      text('entity_name', auth.entityName) +
      flag('entity_created', auth.entityCreated) +
      text('token_type', auth.tokenType ?? 'default') +
      number('token_ttl', auth.tokenTtlSeconds) +
      (auth.tokenIssueTime === undefined
        ? ''
        : `,"token_issue_time":"${secondTime(auth.tokenIssueTime)}"`),
  )
}

const headersText = (headers: readonly AuditHeader[] | undefined, form: EntryForm): string => {
  if (headers === undefined || headers.length === 0) return ''
  const members = headers
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ name, values, hmac }) => {
      const shown = hmac ? `[${values.map(form.conceal).join(',')}]` : listText(values)
      return `${quoted(name)}:${shown}`
    })
  return `,"headers":{${members.join(',')}}`
}

const NOTHING_CLEAR: ReadonlySet<string> = new Set()

const requestText = (request: AuditRequest, form: EntryForm): string => {
  const { mount, namespace, data } = request
  const clear = mount?.nonHmacRequestKeys ?? NOTHING_CLEAR
  const shown =
    data === undefined
      ? ''
      : hashedObject(data, { conceal: form.conceal, clear, itemsMax: Infinity })
  return object(
    text('id', request.id) +
      text('client_id', request.clientId) +
      text('replication_cluster', request.replicationCluster) +
      text('operation', request.operation) +
      (mount === undefined
        ? ''
        : text('mount_point', mount.point) +
          text('mount_type', mount.type) +
          text('mount_accessor', mount.accessor) +
          text('mount_running_version', mount.runningVersion) +
          text('mount_class', mount.class)) +
      hidden('client_token', request.clientToken, form.conceal) +
      hidden('client_token_accessor', request.clientTokenAccessor, form.concealAccessor) +
      part('namespace', object(text('id', namespace.id) + text('path', namespace.path))) +
      text('path', request.path) +
      part('data', shown) +
      flag('policy_override', request.policyOverride) +
      text('remote_address', request.remoteAddress) +
      number('remote_port', request.remotePort) +
      number('wrap_ttl', request.wrapTtlSeconds) +
      headersText(request.headers, form) +
      text('client_certificate_serial_number', request.clientCertificateSerialNumber),
  )
}

/** The members `auth` and `request`, which a request's two entries have in common (architecture.md E2). */
export const renderCommon = (
  form: EntryForm,
  auth: AuditAuth | undefined,
  request: AuditRequest,
): string => `"auth":${authText(auth, form, true)},"request":${requestText(request, form)}`

/** The entry written before a request runs, without a newline; `time` as `nanoTime` gives it. */
export const renderRequestEntry = (time: string, common: string, error = ''): string =>
  `{"time":"${time}","type":"request",${common}${text('error', error)}}`

/** The data of an answer as its entry shows it: a list becomes what it is on the wire; elided parts become counts. */
export const shownData = (
  response: AuditResponse,
  listing: boolean,
  form: EntryForm,
): AuditResponse['data'] => {
  const shown = response.list === undefined ? response.data : listData(response.list)
  if (shown === undefined || !form.elideLists || !(listing || response.list)) return shown
  const counts: Record<string, number> = {}
  for (const name of ['keys', 'key_info']) {
    const value = Object.hasOwn(shown, name) ? shown[name] : undefined
    if (Array.isArray(value)) counts[name] = value.length
    else if (typeof value === 'object' && value !== null) counts[name] = Object.keys(value).length
  }
  return { ...shown, ...counts }
}

const listData = ({ keys, keyInfo }: AuditList): AuditResponse['data'] =>
  keyInfo === undefined ? { keys } : { keys, key_info: keyInfo }

const wrapInfoText = (info: AuditWrapInfo, form: EntryForm): string =>
  object(
    number('ttl', info.ttlSeconds) +
      hidden('token', info.token, form.conceal) +
      hidden('accessor', info.accessor, form.concealAccessor) +
      text('creation_time', info.creationTime) +
      text('creation_path', info.creationPath) +
      hidden('wrapped_accessor', info.wrappedAccessor, form.concealAccessor),
  )

/** Its mount as the response repeats it: the version goes by another name there. */
const mountText = (mount: AuditMount): string =>
  text('mount_point', mount.point) +
  text('mount_type', mount.type) +
  text('mount_accessor', mount.accessor) +
  text('mount_running_plugin_version', mount.runningVersion) +
  text('mount_class', mount.class)

const responseText = (
  { mount }: AuditRequest,
  response: AuditResponse,
  data: AuditResponse['data'],
  form: EntryForm,
): string => {
  const clear = mount?.nonHmacResponseKeys ?? NOTHING_CLEAR
  const { conceal, itemsMax } = form
  return object(
    (response.auth === undefined ? '' : `,"auth":${authText(response.auth, form, false)}`) +
      (mount === undefined ? '' : mountText(mount)) +
      part('secret', object(text('lease_id', response.leaseId))) +
      (data === undefined ? '' : part('data', hashedObject(data, { conceal, clear, itemsMax }))) +
      list('warnings', response.warnings) +
      text('redirect', response.redirect) +
      (response.wrapInfo === undefined
        ? ''
        : `,"wrap_info":${wrapInfoText(response.wrapInfo, form)}`) +
      map('headers', response.headers),
  )
}

/** What an entry about an answer is made of, beside the common part. */
export interface ResponseParts {
  readonly request: AuditRequest
  /** Undefined when there is none: a failure. */
  readonly response: AuditResponse | undefined
  /** From `shownData`. */
  readonly data: AuditResponse['data']
  readonly error: string
}

/** The entry written before an answer is sent, without a newline; `time` as `nanoTime` gives it. */
export const renderResponseEntry = (
  form: EntryForm,
  time: string,
  common: string,
  { request, response, data, error }: ResponseParts,
): string => {
  const shown = response === undefined ? '' : responseText(request, response, data, form)
  return `{"time":"${time}","type":"response",${common}${part('response', shown)}${text('error', error)}}`
}
