import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { MountPort, MountRecord } from '../../engine/ports/mounts.ts'
import type { QuotaConfig, QuotaRule, Quotas } from '../../engine/ports/quotas.ts'
import { DEFAULT_QUOTA_CONFIG, NO_QUOTAS } from '../../engine/ports/quotas.ts'
import { invalid } from '../../engine/refusal.ts'
import { data, listOf } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { goQuote } from '../../std/go-quote.ts'
import { compareBytes } from '../../std/json.ts'
import { trimSlashes } from '../../std/trim-slashes.ts'
import type { SystemOptions } from './options.ts'
import { changeSettings, readSettings } from './settings.ts'

type AnyCall = Pick<Call, 'records' | 'namespace'>

const quotasNow = async (call: AnyCall): Promise<Quotas> =>
  (await readSettings(call)).quotas ?? NO_QUOTAS

/** Where a rule holds. */
type Place = Pick<QuotaRule, 'mountUuid' | 'suffix'>

/** The mount that a path of a rule begins with, and what follows it. Throws the recorded 400 where there is none. */
const placeOf = async (
  mounts: MountPort,
  { namespace }: AnyCall,
  given: string,
): Promise<Place & { readonly mount: MountRecord | undefined }> => {
  const path = trimSlashes(given)
  if (path === '') return { mountUuid: '', suffix: '', mount: undefined }
  const mount = await mounts.covering(namespace, path)
  if (mount === undefined) throw invalid(`invalid mount path ${goQuote(`${path}/`)}`)
  return { mountUuid: mount.uuid, suffix: path.slice(mount.path.length), mount }
}

const isAt = (rule: QuotaRule, { mountUuid, suffix, role }: Place & { role: string }): boolean =>
  rule.mountUuid === mountUuid && rule.suffix === suffix && rule.role === role

/** The rules whose mounts are still there, each with its path: a mount takes its rules along wherever it goes. */
const shown = async (
  call: AnyCall,
  mounts: MountPort,
  rules: readonly QuotaRule[],
): Promise<readonly (readonly [string, QuotaRule])[]> => {
  const paths = new Map((await mounts.all(call.namespace)).map(({ uuid, path }) => [uuid, path]))
  return rules.flatMap((rule) => {
    const path = rule.mountUuid === '' ? '' : paths.get(rule.mountUuid)
    return path === undefined ? [] : [[`${path}${rule.suffix}`, rule] as const]
  })
}

const fields = {
  name: field.string({ default: '', description: 'Name of the rule' }),
  type: field.any({ description: 'Not used: rate-limit' }),
  path: field.string({
    default: '',
    description:
      'A mount, or a path in it, with `*` at its end all paths that begin so; none: all requests',
  }),
  role: field.string({ default: '', description: 'Only logins to this role' }),
  rate: field.float({ default: 0, description: 'Requests of a client in an interval' }),
  interval: field.duration({ default: 0, description: 'Length of the interval; 1 s unless given' }),
  block_interval: field.duration({
    default: 0,
    description: 'How long a client that asked for more is refused altogether',
  }),
  inheritable: field.bool({ description: 'Whether it holds in namespaces below' }),
}

/** `sys/quotas/`: how many requests each client may make (spec/sys.md 8.1). */
export const quotaRoutes = ({ ports, settings }: SystemOptions) => {
  const mounts = (): MountPort => ports().mounts

  const change = async (
    call: AnyCall,
    next: (present: Quotas) => Quotas | undefined,
  ): Promise<undefined> => {
    await changeSettings(call, (present) => {
      const quotas = next(present.quotas ?? NO_QUOTAS)
      return quotas && { ...present, quotas }
    })
    await settings.follow()
    return undefined
  }

  return [
    route({
      path: 'quotas/rate-limit',
      summary: 'List the rules for the rate of requests',
      fields: {},
      verbs: {
        list: async (call) => {
          const rules = await shown(call, mounts(), (await quotasNow(call)).rules)
          const keys = rules.map(([, { name }]) => name).sort(compareBytes)
          return listOf(keys)
        },
      },
    }),
    route({
      path: 'quotas/rate-limit/+name',
      summary: 'Read, write or delete a rule for the rate of requests',
      fields,
      verbs: {
        read: async (call) => {
          const found = await shown(call, mounts(), (await quotasNow(call)).rules)
          const entry = found.find(([, { name }]) => name === call.input.name)
          if (entry === undefined) return undefined
          const [path, rule] = entry
          return data({
            type: 'rate-limit',
            name: rule.name,
            path,
            role: rule.role,
            rate: rule.rate,
            interval: rule.intervalSeconds,
            block_interval: rule.blockSeconds,
            inheritable: rule.inheritable,
          })
        },
        update: async (call) => {
          const { name, rate, role, interval, block_interval: blockSeconds } = call.input
          if (!(rate > 0)) throw invalid("'rate' is invalid")
          const { mount, ...place } = await placeOf(mounts(), call, call.input.path)
          if (role !== '') checkRole(mounts(), mount, call.input.path)
          const rule: QuotaRule = {
            name,
            ...place,
            role,
            rate,
            intervalSeconds: interval === 0 ? 1 : interval,
            blockSeconds,
            inheritable: call.input.inheritable ?? place.mountUuid === '',
          }
          const present = new Set((await mounts().all(call.namespace)).map(({ uuid }) => uuid))
          return change(call, ({ rules, ...others }) => {
            const live = rules.filter(({ mountUuid }) => mountUuid === '' || present.has(mountUuid))
            const rest = live.filter((one) => one.name !== name)
            const twin = rest.find((one) => isAt(one, rule))
            if (twin !== undefined) {
              throw invalid(
                `quota rule with similar properties exists under the name ${goQuote(twin.name)}`,
              )
            }
            if (rest.length >= limits.quotaRules) {
              throw invalid(
                `at most ${limits.quotaRules} rules for the rate of requests are possible`,
              )
            }
            return { ...others, rules: [...rest, rule] }
          })
        },
        delete: (call) =>
          change(call, ({ rules, ...others }) => {
            const rest = rules.filter(({ name }) => name !== call.input.name)
            return rest.length === rules.length ? undefined : { ...others, rules: rest }
          }),
      },
    }),
    route({
      path: 'quotas/config',
      summary: 'Read or set what holds for all rules',
      fields: {
        enable_rate_limit_audit_logging: field.bool({
          default: false,
          description: 'Whether refused requests are in the audit log',
        }),
        enable_rate_limit_response_headers: field.bool({
          default: false,
          description: 'Whether answers tell what is left',
        }),
        rate_limit_exempt_paths: field.stringList({
          default: [],
          description: 'Paths that are never counted; with `*` at the end all that begin so',
        }),
      },
      verbs: {
        read: async (call) => {
          const { config = DEFAULT_QUOTA_CONFIG } = await quotasNow(call)
          return data({
            enable_rate_limit_audit_logging: config.auditLogging,
            enable_rate_limit_response_headers: config.responseHeaders,
            rate_limit_exempt_paths: config.exemptPaths,
          })
        },
        update: (call) => {
          const { input } = call
          const config: QuotaConfig = {
            auditLogging: input.enable_rate_limit_audit_logging,
            responseHeaders: input.enable_rate_limit_response_headers,
            exemptPaths: input.rate_limit_exempt_paths,
          }
          if (config.exemptPaths.length > limits.quotaExemptPaths) {
            throw invalid(`at most ${limits.quotaExemptPaths} exempt paths are possible`)
          }
          return change(call, (present) => ({ ...present, config }))
        },
      },
    }),
  ]
}

/** Throws the recorded 400 for a mount that knows no roles. */
const checkRole = (mounts: MountPort, mount: MountRecord | undefined, given: string): void => {
  const shownPath = goQuote(mount?.path ?? given)
  if (mount?.class !== 'auth') {
    throw invalid(
      `Mount path ${shownPath} is not a valid auth method and therefore unsuitable for use with role-based quotas`,
    )
  }
  if (!mounts.hasLoginRole(mount.type)) {
    throw invalid(`Mount path ${shownPath} does not support use with role-based quotas`)
  }
}
