import { compareBytes, stringifyJson, stringifyMembers } from '../std/json.ts'
import type {
  AuditAuth,
  AuditHeader,
  AuditList,
  AuditPolicy,
  AuditRequest,
  AuditResponse,
  AuditWrapInfo,
} from './entry.ts'
import { secondTime } from './entry-time.ts'
import { hashedObject } from './hashed-json.ts'
import type { Conceal } from './hashed-json.ts'

/** How one device writes entries. */
export interface EntryForm {
  /** Tokens, data and headers. */
  readonly conceal: Conceal
  /** Accessors: like `conceal`, unless the device shows them. */
  readonly concealAccessor: Conceal
  /** The same for what was made just now, of which nothing is remembered yet nor worth it. */
  readonly made: Pick<EntryForm, 'conceal' | 'concealAccessor'>
  /** Lists are written as counts, however short. */
  readonly elideLists: boolean
  /** Arrays and objects of an answer with more members are written as counts. */
  readonly itemsMax: number
  /** The text of the data of this one entry, where it was long and is made already. */
  readonly dataText?: string
}

/** What is empty is left out of entries: undefined members are not written. */
const some = (value: string | undefined): string | undefined => value || undefined
const more = (value: number | undefined): number | undefined => value || undefined
const set = (value: boolean | undefined): true | undefined => value || undefined
const list = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values === undefined || values.length === 0 ? undefined : values
const hidden = (value: string | undefined, conceal: Conceal): string | undefined =>
  value === undefined || value === '' ? undefined : conceal(value)

/**
 * An object of pieces from `stringifyMembers` and the like, of which some are ''. Put together with `+` all the way up: the engine
 * keeps such a text in its pieces, and the one join before the file is written copies them once.
 */
const object = (...pieces: readonly string[]): string => {
  let all = ''
  for (const piece of pieces) if (piece !== '') all += (all === '' ? '{' : ',') + piece
  return all === '' ? '{}' : all + '}'
}
/** A member that is left out when it is an empty object; `name` as `"name":`. */
const member = (name: string, json: string): string => (json === '{}' ? '' : name + json)

const map = (
  name: string,
  value: Readonly<Record<string, string | readonly string[]>> | null | undefined,
): string => (value === null || value === undefined ? '' : member(name, stringifyJson(value)))

const policyShown = (policy: AuditPolicy): object => ({
  name: some(policy.name),
  namespace_id: some(policy.namespaceId),
  namespace_path: some(policy.namespacePath),
  // The one member that is written though empty: root needs no type.
  type: policy.type,
})

const policyResults = (results: AuditAuth['policyResults']): object | undefined => {
  if (results === undefined) return undefined
  const { allowed, grantingPolicies } = results
  return {
    allowed,
    granting_policies:
      grantingPolicies.length === 0 ? undefined : grantingPolicies.map(policyShown),
  }
}

const authText = (auth: AuditAuth | undefined, form: EntryForm, asking: boolean): string => {
  if (auth === undefined) return '{"token_type":"default"}'
  const { conceal, concealAccessor } = asking ? form : form.made
  return object(
    stringifyMembers({
      client_token: hidden(auth.clientToken, conceal),
      accessor: hidden(auth.accessor, concealAccessor),
      display_name: some(auth.displayName),
      policies: list(auth.policies),
      token_policies: list(auth.tokenPolicies),
      identity_policies: list(auth.identityPolicies),
    }),
    map('"external_namespace_policies":', auth.externalNamespacePolicies),
    stringifyMembers({
      no_default_policy: set(auth.noDefaultPolicy),
      policy_results: asking ? policyResults(auth.policyResults) : undefined,
    }),
    map('"metadata":', auth.metadata),
    stringifyMembers({
      num_uses: more(auth.numUses),
      remaining_uses: asking ? more(auth.remainingUses) : undefined,
      entity_id: some(auth.entityId),
      entity_name: some(auth.entityName),
      entity_created: set(auth.entityCreated),
      token_type: some(auth.tokenType ?? 'default'),
      token_ttl: more(auth.tokenTtlSeconds),
      token_issue_time:
        auth.tokenIssueTime === undefined ? undefined : secondTime(auth.tokenIssueTime),
    }),
  )
}

const headersText = (headers: readonly AuditHeader[] | undefined, form: EntryForm): string => {
  if (headers === undefined || headers.length === 0) return '{}'
  const members = headers
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ name, values, hmac }) => {
      const shown = hmac ? values.map(form.conceal) : values
      return `${stringifyJson(name)}:${stringifyJson(shown)}`
    })
  return object(...members)
}

const NOTHING_CLEAR: ReadonlySet<string> = new Set()

/** The members of a request's data that its mount has written in clear. */
export const clearInRequest = ({ mount }: AuditRequest): ReadonlySet<string> =>
  mount?.nonHmacRequestKeys ?? NOTHING_CLEAR

/** The same of its answer's. */
export const clearInResponse = ({ mount }: AuditRequest): ReadonlySet<string> =>
  mount?.nonHmacResponseKeys ?? NOTHING_CLEAR

const requestText = (request: AuditRequest, form: EntryForm): string => {
  const { mount, namespace, data } = request
  const clear = clearInRequest(request)
  const shown =
    data === undefined
      ? ''
      : member(
          '"data":',
          form.dataText ?? hashedObject(data, { conceal: form.conceal, clear, itemsMax: Infinity }),
        )
  return object(
    stringifyMembers({
      id: some(request.id),
      client_id: some(request.clientId),
      replication_cluster: some(request.replicationCluster),
      operation: some(request.operation),
      mount_point: some(mount?.point),
      mount_type: some(mount?.type),
      mount_accessor: some(mount?.accessor),
      mount_running_version: some(mount?.runningVersion),
      mount_class: some(mount?.class),
      client_token: hidden(request.clientToken, form.conceal),
      client_token_accessor: hidden(request.clientTokenAccessor, form.concealAccessor),
      namespace:
        namespace.id === '' && namespace.path === ''
          ? undefined
          : { id: some(namespace.id), path: some(namespace.path) },
      path: some(request.path),
    }),
    shown,
    stringifyMembers({
      policy_override: set(request.policyOverride),
      remote_address: some(request.remoteAddress),
      remote_port: more(request.remotePort),
      wrap_ttl: more(request.wrapTtlSeconds),
    }),
    member('"headers":', headersText(request.headers, form)),
    request.clientCertificateSerialNumber === undefined
      ? ''
      : stringifyMembers({
          client_certificate_serial_number: some(request.clientCertificateSerialNumber),
        }),
  )
}

/** The `auth` of an entry, which all entries of a caller may have in common. */
export const renderAuth = (form: EntryForm, auth: AuditAuth | undefined): string =>
  authText(auth, form, true)

/**
 * The members `auth` (from `renderAuth`) and `request`, which a request's two entries have in common (architecture.md E2).
 */
export const renderCommon = (form: EntryForm, auth: string, request: AuditRequest): string =>
  '"auth":' + auth + ',"request":' + requestText(request, form)

const errorText = (error: string): string => (error === '' ? '' : `"error":${stringifyJson(error)}`)

/** The entry written before a request runs, without a newline; `time` as `nanoTime` gives it. */
export const renderRequestEntry = (time: string, common: string, error = ''): string =>
  object(`"time":"${time}","type":"request"`, common, errorText(error))

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

const wrapInfoShown = (info: AuditWrapInfo, form: EntryForm): object => ({
  ttl: more(info.ttlSeconds),
  token: hidden(info.token, form.conceal),
  accessor: hidden(info.accessor, form.concealAccessor),
  creation_time: some(info.creationTime),
  creation_path: some(info.creationPath),
  wrapped_accessor: hidden(info.wrappedAccessor, form.concealAccessor),
})

const responseText = (
  request: AuditRequest,
  response: AuditResponse,
  data: AuditResponse['data'],
  form: EntryForm,
): string => {
  const { mount } = request
  const clear = clearInResponse(request)
  const { conceal, itemsMax } = form
  return object(
    response.auth === undefined ? '' : `"auth":${authText(response.auth, form, false)}`,
    stringifyMembers({
      // Its mount again: the version goes by another name here.
      mount_point: some(mount?.point),
      mount_type: some(mount?.type),
      mount_accessor: some(mount?.accessor),
      mount_running_plugin_version: some(mount?.runningVersion),
      mount_class: some(mount?.class),
      secret: response.leaseId ? { lease_id: response.leaseId } : undefined,
    }),
    data === undefined
      ? ''
      : member('"data":', form.dataText ?? hashedObject(data, { conceal, clear, itemsMax })),
    stringifyMembers({
      warnings: list(response.warnings),
      redirect: some(response.redirect),
      wrap_info:
        response.wrapInfo === undefined ? undefined : wrapInfoShown(response.wrapInfo, form),
    }),
    map('"headers":', response.headers),
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
): string =>
  object(
    `"time":"${time}","type":"response"`,
    common,
    response === undefined
      ? ''
      : member('"response":', responseText(request, response, data, form)),
    errorText(error),
  )
