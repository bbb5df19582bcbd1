import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { PolicyScope, PolicyView, PolicyWrite } from '../../engine/ports/policies.ts'
import type { Hint } from '../../engine/refusal.ts'
import { invalid } from '../../engine/refusal.ts'
import type { DataResult, ListPage } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { goLower } from '../../std/go-lower.ts'
import { decodeBase64 } from './base64.ts'
import type { SystemOptions } from './options.ts'
import { timeText } from './time-text.ts'

const name = field.string({ default: '', description: 'Name of the policy; any case' })

const writeFields = {
  name,
  policy: field.string({ default: '', description: 'The text, HCL or JSON, maybe as base64' }),
  expiration: field.time({ description: 'When the policy ends' }),
  ttl: field.duration({ description: 'How long until the policy ends' }),
  cas: field.int({ description: 'Version that is to be replaced; -1: there must be none' }),
  cas_required: field.bool({ description: 'Demand `cas` from now on' }),
  allow_wildcards_in_identity_templates: field.bool({
    description: 'Names that templates put in may hold `*` and `+`',
  }),
  allow_slashes_in_identity_templates: field.bool({
    description: 'Names that templates put in may hold `/`',
  }),
}
const legacyFields = {
  ...writeFields,
  rules: field.string({ default: '', description: 'Older name of `policy`', deprecated: true }),
}

type WriteCall = Call<InputOf<typeof writeFields>>
type LegacyCall = Call<InputOf<typeof legacyFields>>
type NamedCall = Call<{ readonly name: string }>

const scopeOf = ({
  namespace,
  names,
  now,
}: Pick<Call, 'namespace' | 'names' | 'now'>): PolicyScope => ({
  namespace,
  names,
  now,
})

/** The text that was sent, decoded. */
const textOf = (sent: string): string => {
  if (sent === '') throw invalid("'policy' parameter not supplied or empty")
  if (Buffer.byteLength(sent) > limits.policyBytes) {
    throw invalid(`a policy has at most ${limits.policyBytes} bytes`)
  }
  const decoded = decodeBase64(sent)
  // What decodes as base64 is taken as such: the text of a policy never does.
  return Buffer.isBuffer(decoded) ? decoded.toString() : sent
}

const shown = (
  policy: PolicyView,
  textName: 'policy' | 'rules',
): Readonly<Record<string, unknown>> => ({
  name: policy.name,
  [textName]: policy.text,
  version: policy.version,
  cas_required: policy.casRequired,
  allow_wildcards_in_identity_templates: policy.allowWildcards,
  allow_slashes_in_identity_templates: policy.allowSlashes,
  ...(policy.expiresAt !== undefined && { expiration: timeText(policy.expiresAt) }),
  ...(policy.modifiedAt !== undefined && { modified: timeText(policy.modifiedAt) }),
})

const expiryOf = (call: WriteCall): number | undefined => {
  const { expiration, ttl } = call.input
  if (expiration !== undefined && ttl !== undefined) {
    throw invalid("cannot supply both 'expiration' and 'ttl' for policies")
  }
  const expiresAt = ttl === undefined ? expiration : call.now + ttl * 1000
  if (expiresAt !== undefined && expiresAt <= call.now) {
    throw invalid('refusing to update policy as expiration time has already elapsed')
  }
  return expiresAt
}

const giveHints = (call: Pick<Call, 'hint'>, hints: readonly Hint[]): void => {
  for (const { code, text } of hints) call.hint(code, text)
}

const read = async (
  call: NamedCall,
  { ports }: SystemOptions,
  textName: 'policy' | 'rules',
): Promise<DataResult | undefined> => {
  const policy = await ports().policies.read(call.records, scopeOf(call), goLower(call.input.name))
  return policy === undefined ? undefined : data(shown(policy, textName))
}

const write = async (
  call: WriteCall,
  { ports }: SystemOptions,
  rules: string,
): Promise<DataResult | undefined> => {
  const { input } = call
  const lower = goLower(input.name)
  const renamed = lower !== input.name
  if (renamed) call.warn(`policy name was converted to ${lower}`)
  const legacy = input.policy === '' && rules !== ''
  if (legacy) call.warn("'rules' is deprecated, please use 'policy' instead")
  const text = textOf(legacy ? rules : input.policy)
  const hints = await ports().policies.write(call.records, scopeOf(call), {
    name: lower,
    text,
    cas: input.cas,
    casRequired: input.cas_required,
    allowWildcards: input.allow_wildcards_in_identity_templates ?? false,
    allowSlashes: input.allow_slashes_in_identity_templates ?? false,
    expiresAt: expiryOf(call),
  })
  giveHints(call, hints)
  return renamed || legacy ? data(null) : undefined
}

const patch = async (call: WriteCall, { ports }: SystemOptions): Promise<DataResult> => {
  const { input } = call
  const given = expiryOf(call)
  const clears = (call.has('expiration') || call.has('ttl')) && given === undefined
  const text = call.has('policy') ? textOf(input.policy) : undefined
  const change = (present: PolicyView): PolicyWrite => ({
    name: present.name,
    text: text ?? present.text,
    cas: input.cas ?? present.version,
    casRequired: input.cas_required ?? present.casRequired,
    allowWildcards: input.allow_wildcards_in_identity_templates ?? present.allowWildcards,
    allowSlashes: input.allow_slashes_in_identity_templates ?? present.allowSlashes,
    expiresAt: given ?? (clears ? undefined : present.expiresAt),
  })
  const hints = await ports().policies.patch(
    call.records,
    scopeOf(call),
    goLower(input.name),
    change,
  )
  giveHints(call, hints)
  return data(null)
}

const remove = async (call: NamedCall, { ports }: SystemOptions): Promise<undefined> => {
  await ports().policies.delete(call.records, scopeOf(call), goLower(call.input.name))
  return undefined
}

const pages = (call: NamedCall, { ports }: SystemOptions): AsyncIterable<ListPage> =>
  ports().policies.list(call.records, scopeOf(call), prefixOf(call.input.name))

const prefixOf = (given: string): string => {
  const lower = goLower(given)
  return lower === '' || lower.endsWith('/') ? lower : `${lower}/`
}

/** The older list: not paged, under two names. */
const listLegacy = async (
  call: NamedCall,
  options: SystemOptions,
): Promise<DataResult | undefined> => {
  const keys: string[] = []
  for await (const page of pages(call, options)) keys.push(...page.keys)
  return keys.length === 0 ? undefined : data({ keys, policies: keys })
}

async function* detailedPages(call: NamedCall, options: SystemOptions): AsyncIterable<ListPage> {
  const { policies } = options.ports()
  const prefix = prefixOf(call.input.name)
  for await (const { keys } of pages(call, options)) {
    const keyInfo: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    for (const key of keys) {
      const policy = await policies.read(call.records, scopeOf(call), `${prefix}${key}`)
      if (policy !== undefined) keyInfo[key] = shown(policy, 'policy')
    }
    yield { keys, keyInfo }
  }
}

/** `sys/policies/acl`, `sys/policies/detailed/acl` and the older `sys/policy`. */
export const policyRoutes = (options: SystemOptions) => [
  route({
    path: 'policies/acl',
    summary: 'List the policies',
    fields: { name },
    verbs: { list: (call) => listPages(pages(call, options)) },
  }),
  route({
    path: 'policies/acl/*name',
    summary: 'Write, read, change or delete a policy',
    fields: writeFields,
    verbs: {
      read: (call) => read(call, options, 'policy'),
      list: (call) => listPages(pages(call, options)),
      update: (call) => write(call, options, ''),
      patch: (call) => patch(call, options),
      delete: (call) => remove(call, options),
    },
  }),
  route({
    path: 'policies/detailed/acl',
    summary: 'List the policies with what they say',
    fields: { name },
    verbs: { list: (call) => listPages(detailedPages(call, options)) },
  }),
  route({
    path: 'policies/detailed/acl/*name',
    summary: 'List the policies under a prefix with what they say',
    fields: { name },
    verbs: { list: (call) => listPages(detailedPages(call, options)) },
  }),
  route({
    path: 'policy',
    summary: 'List the policies',
    fields: { name },
    copyDataToTop: true,
    verbs: {
      read: (call) => listLegacy(call, options),
      list: (call) => listLegacy(call, options),
    },
  }),
  route({
    path: 'policy/*name',
    summary: 'Write, read or delete a policy',
    fields: legacyFields,
    copyDataToTop: true,
    verbs: {
      read: (call) => read(call, options, 'rules'),
      list: (call) => listLegacy(call, options),
      update: (call: LegacyCall) => write(call, options, call.input.rules),
      delete: (call) => remove(call, options),
    },
  }),
]
