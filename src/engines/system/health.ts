import { field } from '../../engine/field.ts'
import { Refusal } from '../../engine/refusal.ts'
import { route } from '../../engine/route.ts'
import type { Json } from '../../std/json.ts'
import { bare } from './bare.ts'
import { healthDetail } from './health-detail.ts'
import type { SystemOptions } from './options.ts'

const badParameter = (): Refusal => new Refusal('invalid', '', { silent: true })

/** A parameter given once; given twice it is a list, which nothing accepts. */
const once = (value: Json): string => {
  if (typeof value !== 'string') throw badParameter()
  return value
}

const asCode = (value: Json | undefined, usual: number): number => {
  if (value === undefined) return usual
  const text = once(value)
  if (!/^[+-]?\d+$/.test(text)) throw badParameter()
  return Number(text)
}

const BOOL = /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False|)$/

const checkBool = (value: Json | undefined): void => {
  if (value !== undefined && !BOOL.test(once(value))) throw badParameter()
}

/** `?detail` alone says yes. */
const isTrue = (value: Json | undefined): boolean => {
  checkBool(value)
  return value !== undefined && !/^(0|f)/i.test(once(value))
}

/** Node sends no others. */
const isSendable = (code: number): boolean => code >= 200 && code <= 599

const code = (when: string) => field.any({ description: `Status to answer with ${when}` })

/** `sys/health`: whether this server can serve, as load balancers ask it. */
export const healthRoute = ({ seal, facts, health }: SystemOptions) =>
  route({
    path: 'health',
    summary: 'Tell by status and body whether the server is initialised and unsealed',
    fields: {
      standbyok: field.any({ description: 'A standby answers as the active server does' }),
      perfstandbyok: field.any({ description: 'Not used' }),
      activecode: code('while active'),
      standbycode: code('while on standby'),
      sealedcode: code('while sealed'),
      uninitcode: code('before initialisation'),
      detail: field.any({ description: 'Tell of store, audit devices and records set aside' }),
    },
    whileSealed: true,
    unaudited: true,
    answersHead: true,
    verbs: {
      read: async (call) => {
        const { input, now } = call
        checkBool(input.standbyok)
        checkBool(input.perfstandbyok)
        const active = asCode(input.activecode, 200)
        asCode(input.standbycode, 429)
        const whenSealed = asCode(input.sealedcode, 503)
        const uninitialised = asCode(input.uninitcode, 501)
        const detailed = isTrue(input.detail)
        const asked = performance.now()
        const { sealed, initialized, clusterName, clusterId } = await seal.status()
        const storeMs = performance.now() - asked
        // It is unsealed and cannot serve: others are to be asked, whatever code an active server is to give.
        const mute = !sealed && health.audit().allFail
        const status = !initialized ? uninitialised : sealed ? whenSealed : mute ? 503 : active
        if (!isSendable(status)) throw badParameter()
        const replication = sealed ? 'unknown' : 'disabled'
        return bare(
          [
            ['initialized', initialized],
            ['sealed', sealed],
            ['standby', sealed],
            ['replication_performance_mode', replication],
            ['replication_dr_mode', replication],
            ['server_time_utc', Math.floor(now / 1000)],
            ['version', facts.reportedVersion],
            ['cluster_name', clusterName],
            ['cluster_id', clusterId],
            ...(mute
              ? [['audit', 'no audit device takes entries: requests are refused'] as const]
              : []),
            ...(detailed ? [await healthDetail(health, call, storeMs)] : []),
          ],
          status,
        )
      },
    },
  })
