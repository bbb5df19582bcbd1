import type { Call } from '../../engine/call.ts'
import type { BackgroundScope } from '../../engine/engine.ts'
import { field } from '../../engine/field.ts'
import type { SealPort } from '../../engine/ports/seal.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { longDuration } from './duration-text.ts'
import type { RotationSettings } from './settings.ts'
import { changeSettings, readSettings, settingsRef } from './settings.ts'

const OPERATIONS = { least: 1_000_000, most: 3_865_470_566 } as const
const DAY_SECONDS = 86_400

const USUAL: RotationSettings = {
  maxOperations: OPERATIONS.most,
  intervalSeconds: 0,
}

const fields = {
  enabled: field.bool({ description: 'Taken and not used, as in the reference' }),
  max_operations: field.int({ description: 'Values encrypted under one key' }),
  interval: field.duration({ description: 'How long a key is used, at least 24h; 0: not by time' }),
}

const read = async (call: Pick<Call, 'records' | 'namespace'>) => {
  const { maxOperations, intervalSeconds } = (await readSettings(call)).rotation ?? USUAL
  return data({
    enabled: true,
    interval: intervalSeconds === 0 ? 0 : longDuration(intervalSeconds),
    max_operations: maxOperations,
  })
}

interface Given {
  readonly enabled: boolean | undefined
  readonly max_operations: number | undefined
  readonly interval: number | undefined
}

const write = async (call: Pick<Call<Given>, 'records' | 'namespace' | 'input' | 'hint'>) => {
  const { enabled, max_operations: operations, interval } = call.input
  if (enabled === false) {
    call.hint(
      'rotation-enabled',
      'enabled=false changes nothing: rotation by time is off while interval is 0',
    )
  }
  if (operations !== undefined && (operations < OPERATIONS.least || operations > OPERATIONS.most)) {
    throw invalid(`max_operations must be in the range [${OPERATIONS.least},${OPERATIONS.most}]`)
  }
  if (interval !== undefined && interval !== 0 && interval < DAY_SECONDS) {
    throw invalid(`interval must be greater or equal to ${longDuration(DAY_SECONDS)}`)
  }
  await changeSettings(call, (present) => {
    const before = present.rotation ?? USUAL
    const rotation: RotationSettings = {
      maxOperations: operations ?? before.maxOperations,
      intervalSeconds: interval ?? before.intervalSeconds,
    }
    return { ...present, rotation }
  })
  return undefined
}

const configRoute = (path: string) =>
  route({
    path,
    summary: 'Read or set when the keyring rotates by itself',
    fields,
    verbs: { read: (call) => read(call), update: (call) => write(call) },
  })

/** `sys/rotate/config` and `sys/rotate/keyring/config`. */
export const rotationConfigRoutes = () => [
  configRoute('rotate/config'),
  configRoute('rotate/keyring/config'),
]

/** How often it is looked whether a rotation is due: intervals are days, and counts rise slowly. */
const LOOK_MS = 10_000

type Scope = Pick<BackgroundScope, 'records' | 'namespace' | 'now'>

/** Rotates the keyring when its key has been used long or often enough. */
export const rotationDuty = (
  seal: Pick<SealPort, 'keyStatus' | 'rotate'>,
): ((scope: Scope) => Promise<void>) => {
  let looked = -Infinity
  return async (scope) => {
    if (scope.now - looked < LOOK_MS) return
    looked = scope.now
    await rotateIfDue(scope, seal)
  }
}

const rotateIfDue = async (
  { records, namespace, now }: Scope,
  seal: Pick<SealPort, 'keyStatus' | 'rotate'>,
): Promise<void> => {
  const { rotation = USUAL } = (await records.get(settingsRef(namespace))) ?? {}
  const { installedAt, encryptions } = await seal.keyStatus()
  const old = rotation.intervalSeconds > 0 && now - installedAt >= rotation.intervalSeconds * 1000
  if (old || encryptions >= rotation.maxOperations) await seal.rotate()
}
