import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, literalText, sortedKeys } from '../client/literal-json.ts'
import type { Secret, SecretAuth, SecretWrapInfo } from '../client/secret.ts'
import { texts } from '../client/secret.ts'
import type { Call } from './command.ts'
import { say, warn } from './command.ts'
import { localFailure } from './failure.ts'
import { durationText, goText, isDurationKey, quotedList } from './go-text.ts'
import { table } from './table.ts'
import { wrapText } from './wrap-text.ts'
import { yamlText } from './yaml.ts'

/** What an answer is printed with. */
type Printing = Pick<Call, 'flags' | 'format' | 'io'>

/** Prints an answer in the format asked for, or the one field of it; the exit code (spec/cli.md 4). */
export const printSecret = (call: Printing, secret: Secret): number => {
  const field = call.flags.text('field')
  if (field !== undefined && field !== '') {
    return printField(call, fieldOf(secret, field), field)
  }
  if (call.format !== 'table') {
    printValue(call, secretMembers(secret))
    return 0
  }
  printNotices(call, secret)
  const rows = secretRows(secret)
  if (rows.length > 0) say(call.io, table([['Key', 'Value'], ...rows]))
  return 0
}

/** Warnings and hints of an answer on standard error; in the table format alone. */
export const printNotices = (call: Printing, secret: Secret): void => {
  if (call.format !== 'table') return
  if (secret.warnings.length > 0) {
    warn(call.io, 'WARNING! The following warnings were returned from Vault:\n')
    for (const text of secret.warnings) warn(call.io, `${wrapText(`  * ${text}`, 78, '    ')}\n`)
  }
  for (const text of secret.hints) warn(call.io, wrapText(`Hint: ${text}`, 78, '      '))
}

/** Prints a value as json or yaml. */
export const printValue = (call: Printing, value: Members | LiteralValue): void => {
  if (call.format === 'yaml') {
    call.io.stdout.write(yamlText(value instanceof Members ? value.plain() : value))
    return
  }
  say(call.io, value instanceof Members ? value.json() : literalText(value, 2))
}

/** An object whose members keep their order in json, as the reference's answers have it. */
export class Members {
  readonly #list: readonly (readonly [string, LiteralValue])[]

  constructor(list: readonly (readonly [string, LiteralValue])[]) {
    this.#list = list
  }

  /** JSON text, indented by two. */
  json(): string {
    if (this.#list.length === 0) return '{}'
    const lines = this.#list.map(
      ([name, value]) =>
        `  ${JSON.stringify(name)}: ${literalText(value, 2).replaceAll('\n', '\n  ')}`,
    )
    return `{\n${lines.join(',\n')}\n}`
  }

  /** The same as an object. */
  plain(): LiteralObject {
    return Object.fromEntries(this.#list)
  }
}

const secretMembers = (secret: Secret): Members =>
  new Members([
    ['request_id', secret.requestId],
    ['lease_id', secret.leaseId],
    ['lease_duration', secret.leaseDuration],
    ['renewable', secret.renewable],
    ['data', secret.data ?? null],
    ['warnings', secret.warnings.length === 0 ? null : secret.warnings],
    ...(secret.auth === undefined ? [] : [['auth', secret.auth.whole] as const]),
    ...(secret.wrapInfo === undefined ? [] : [['wrap_info', secret.wrapInfo.whole] as const]),
    ...(secret.hints.length === 0 ? [] : [['hints', secret.hints] as const]),
  ])

/** The table's rows of an answer: lease, token, wrapping, then data in the order of its keys. */
export const secretRows = (secret: Secret): string[][] => [
  ...leaseRows(secret),
  ...(secret.auth === undefined ? [] : authRows(secret.auth)),
  ...(secret.wrapInfo === undefined ? [] : wrapRows(secret.wrapInfo)),
  ...dataRows(secret.data ?? {}),
]

/** The rows of an object: keys in order, durations as durations. */
export const dataRows = (data: LiteralObject): string[][] =>
  sortedKeys(data).map((key) => [key, cellText(key, data[key] ?? null)])

const cellText = (key: string, value: LiteralValue): string =>
  typeof value === 'number' && Number.isInteger(value) && isDurationKey(key)
    ? durationText(value)
    : goText(value)

const leaseRows = (secret: Secret): string[][] => {
  if (secret.leaseDuration <= 0) return []
  if (secret.leaseId === '') return [['refresh_interval', durationText(secret.leaseDuration)]]
  return [
    ['lease_id', secret.leaseId],
    ['lease_duration', durationText(secret.leaseDuration)],
    ['lease_renewable', String(secret.renewable)],
  ]
}

const authRows = (auth: SecretAuth): string[][] => {
  if (auth.mfaRequirement !== undefined) return mfaRows(auth.mfaRequirement)
  return [
    ['token', auth.clientToken],
    ['token_accessor', auth.accessor],
    ['token_duration', auth.leaseDuration === 0 ? '∞' : durationText(auth.leaseDuration)],
    ['token_renewable', String(auth.renewable)],
    ['token_policies', quotedList(auth.tokenPolicies)],
    ['identity_policies', quotedList(auth.identityPolicies)],
    ['policies', quotedList(auth.policies)],
    ...sortedKeys(auth.metadata).map((key) => [
      `token_meta_${key}`,
      goText(auth.metadata[key] ?? null),
    ]),
  ]
}

const mfaRows = (requirement: LiteralObject): string[][] => {
  const rows = [['mfa_request_id', goText(requirement['mfa_request_id'] ?? '')]]
  const constraints = requirement['mfa_constraints']
  if (!isObject(constraints)) return rows
  const byName: LiteralObject = constraints
  for (const name of sortedKeys(byName)) {
    const constraint = byName[name] ?? null
    if (!isObject(constraint)) continue
    const { any } = constraint as LiteralObject
    if (!Array.isArray(any)) continue
    for (const item of any as readonly LiteralValue[]) {
      if (!isObject(item)) continue
      const method: LiteralObject = item
      const prefix = `mfa_constraint_${name}_${goText(method['type'] ?? '')}`
      rows.push([`${prefix}_id`, goText(method['id'] ?? '')])
      rows.push([`${prefix}_uses_passcode`, goText(method['uses_passcode'] ?? false)])
      if (method['name'] !== undefined) rows.push([`${prefix}_name`, goText(method['name'])])
    }
  }
  return rows
}

const wrapRows = (wrap: SecretWrapInfo): string[][] => [
  ['wrapping_token:', wrap.token],
  ['wrapping_accessor:', wrap.accessor],
  ['wrapping_token_ttl:', durationText(wrap.ttl)],
  ['wrapping_token_creation_time:', wrap.creationTime],
  ['wrapping_token_creation_path:', wrap.creationPath],
  ...(wrap.wrappedAccessor === '' ? [] : [['wrapped_accessor:', wrap.wrappedAccessor]]),
]

/** A field of an answer by the name that `-field` takes; undefined when there is none. */
export const fieldOf = (secret: Secret, name: string): LiteralValue | undefined => {
  const { auth, wrapInfo, data } = secret
  const top: Record<string, LiteralValue | undefined> =
    auth !== undefined
      ? {
          token: auth.clientToken,
          token_accessor: auth.accessor,
          token_duration: auth.leaseDuration,
          token_renewable: auth.renewable,
          token_policies: auth.tokenPolicies,
          identity_policies: auth.identityPolicies,
          policies: auth.policies,
        }
      : wrapInfo !== undefined
        ? {
            wrapping_token: wrapInfo.token,
            wrapping_accessor: wrapInfo.accessor,
            wrapping_token_ttl: wrapInfo.ttl,
            wrapping_token_creation_time: wrapInfo.creationTime,
            wrapping_token_creation_path: wrapInfo.creationPath,
            wrapped_accessor: wrapInfo.wrappedAccessor,
          }
        : {
            lease_id: secret.leaseId,
            lease_duration: secret.leaseDuration,
            refresh_interval: secret.leaseDuration,
            renewable: secret.renewable,
            request_id: secret.requestId,
            data,
          }
  if (Object.hasOwn(top, name) && !(top[name] === '' && hasMember(data, name))) return top[name]
  return hasMember(data, name) ? data?.[name] : undefined
}

const hasMember = (data: LiteralObject | undefined, name: string): boolean =>
  data !== undefined && Object.hasOwn(data, name)

/** Prints one field: bare in the table format, and then without a newline unless a person is looking. */
export const printField = (
  call: Printing,
  value: LiteralValue | undefined,
  name: string,
): number => {
  if (value === undefined || value === null) {
    throw localFailure(`Field ${JSON.stringify(name)} not present in secret`)
  }
  if (call.format === 'table') {
    call.io.stdout.write(call.io.stdout.isTTY ? `${goText(value)}\n` : goText(value))
  } else printValue(call, value)
  return 0
}

/** Prints the keys of a list, with the columns of `key_info` for `-detailed`; the exit code. */
export const printList = (call: Printing, secret: Secret): number => {
  if (secret.wrapInfo !== undefined) return printSecret(call, secret)
  const keys = texts(secret.data?.['keys'])
  const detailed = call.flags.boolean('detailed')
  const field = call.flags.text('field')
  if (field !== undefined && field !== '') return printField(call, fieldOf(secret, field), field)
  if (call.format !== 'table') {
    printValue(call, detailed ? secretMembers(secret) : keys)
    return 0
  }
  printNotices(call, secret)
  const sorted = keys.toSorted()
  const info = secret.data?.['key_info'] ?? null
  if (!detailed || !isObject(info)) {
    say(call.io, table([['Keys'], ...sorted.map((key) => [key])]))
    return 0
  }
  const byKey: LiteralObject = info
  const details = sorted.map((key) => {
    const entry = byKey[key] ?? null
    return isObject(entry) ? entry : {}
  })
  const names = [...new Set(details.flatMap((entry) => Object.keys(entry)))].sort()
  const cells = (entry: LiteralObject): string[] =>
    names.map((name) => (entry[name] === undefined ? '' : cellText(name, entry[name])))
  say(
    call.io,
    table([['Keys', ...names], ...sorted.map((key, at) => [key, ...cells(details[at] ?? {})])]),
  )
  return 0
}
