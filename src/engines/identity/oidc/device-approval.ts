import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { idBytes } from '../../../engine/records.ts'
import type { Tx } from '../../../engine/records.ts'
import { Refusal, denied, failed, invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { findSubject } from '../subject.ts'
import { writtenTime } from '../written-time.ts'
import { isAssigned } from './assignments.ts'
import { findClient } from './clients.ts'
import { DUE_GUESSES, dueRef } from './due.ts'
import { allowsClient } from './identity-token.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord, DeviceRecord, ProviderRecord } from './records.ts'
import { deviceRef, guessesRef, userCodeRef } from './refs.ts'
import { OPENID } from './scopes.ts'
import { readUserCode, shownUserCode } from './user-code.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  user_code: field.string({ default: '', description: 'The code that the device shows' }),
  decision: field.string({ default: '', description: 'approve or deny' }),
}

type DeviceCall = Call<InputOf<typeof fields>>

/** A device that somebody looks at, and who that is. */
interface Waiting {
  readonly hash: Uint8Array
  readonly device: DeviceRecord
  readonly client: ClientRecord
  readonly provider: ProviderRecord
  readonly entityId: string
}

const wrongCode = (): Refusal => invalid('no device waits with this user code (any more)')

/** Counts a wrong code of an entity: few of them are typing errors, many are guesses. */
const countGuess = async (tx: Tx, call: DeviceCall, entityId: string): Promise<void> => {
  const ref = guessesRef(call, entityId)
  const present = await tx.get(ref)
  if (present !== undefined && present.until > call.now) {
    tx.put(ref, { ...present, wrong: present.wrong + 1 })
    return
  }
  const until = call.now + limits.oidcDeviceMs
  tx.put(ref, { wrong: 1, until })
  tx.put(dueRef(call, DUE_GUESSES, idBytes(entityId)!, until), { due: true })
}

const checkGuesses = async (tx: Tx, call: DeviceCall, entityId: string): Promise<void> => {
  const guesses = await tx.get(guessesRef(call, entityId))
  if (guesses === undefined || guesses.until <= call.now) return
  if (guesses.wrong < limits.oidcDeviceGuesses) return
  const minutes = Math.ceil((guesses.until - call.now) / 60_000)
  throw new Refusal('limited', `too many wrong user codes: try again in ${minutes} minutes`)
}

/** The device of a user code. A wrong code is counted by what the transaction then commits, so that refusal is a value. */
const findDevice = async (
  tx: Tx,
  call: DeviceCall,
  userHash: Uint8Array,
): Promise<Waiting | Refusal> => {
  const subject = await findSubject(tx, call.namespace.number, call.caller?.entityId ?? '')
  if (subject === undefined) throw invalid('identity entity must be associated with the request')
  const entityId = subject.id
  await checkGuesses(tx, call, entityId)
  const provider = await findProvider(tx, call, call.input.name)
  if (provider === undefined) throw invalid('provider not found')
  const owner = await tx.get(userCodeRef(call, userHash))
  const hash = owner === undefined ? undefined : Buffer.from(owner.device, 'hex')
  const device = hash === undefined ? undefined : await tx.get(deviceRef(call, hash))
  const client = device === undefined ? undefined : await findClient(tx, call, device.clientId)
  if (
    hash === undefined ||
    device === undefined ||
    device.expiresAt <= call.now ||
    device.provider !== provider.name ||
    client?.deviceCode !== true ||
    !allowsClient(provider.allowedClientIds, client.clientId)
  ) {
    await countGuess(tx, call, entityId)
    return wrongCode()
  }
  return { hash, device, client, provider, entityId }
}

const hashOf = (call: DeviceCall): { readonly code: string; readonly hash: Uint8Array } => {
  if (call.input.user_code === '') throw invalid('user_code parameter is required')
  const code = readUserCode(call.input.user_code)
  // It can be nobody's, so it is no guess.
  if (code === undefined) {
    throw invalid('a user code has eight letters, none of them a vowel, like BCDF-GHJK')
  }
  return { code, hash: call.names.hash('oidc-user-code', code) }
}

const statusOf = ({ decision }: DeviceRecord): string =>
  decision === undefined ? 'pending' : decision.approved ? 'approved' : 'denied'

const showDevice = async (call: DeviceCall): Promise<Result> => {
  const { code, hash } = hashOf(call)
  const found = await call.records.transact((tx) => findDevice(tx, call, hash))
  if (found instanceof Refusal) throw found
  const { client, device, provider } = found
  return data({
    user_code: shownUserCode(code),
    status: statusOf(device),
    client_id: client.clientId,
    client_name: client.name,
    provider: provider.name,
    scopes: [OPENID, ...device.scopes],
    remote_address: device.remoteAddress,
    creation_time: writtenTime(device.createdAt),
    expiration_time: writtenTime(device.expiresAt),
  })
}

const checkAssigned = async (
  tx: Tx,
  call: DeviceCall,
  { client, entityId }: Waiting,
): Promise<void> => {
  const assigned = await isAssigned(tx, call, client, entityId)
  if (typeof assigned === 'object') {
    throw failed(`client assignment "${assigned.missing}" not found`)
  }
  if (!assigned) throw denied('identity entity not authorized by client assignment')
}

const decide = async (call: DeviceCall): Promise<void> => {
  const { decision } = call.input
  if (decision !== 'approve' && decision !== 'deny') {
    throw invalid('decision parameter must be approve or deny')
  }
  const { hash } = hashOf(call)
  const sid = call.newId()
  const refusal = await call.records.transact(async (tx) => {
    const found = await findDevice(tx, call, hash)
    if (found instanceof Refusal) return found
    const { device, entityId } = found
    if (device.decision !== undefined) {
      throw invalid(`somebody has ${statusOf(device)} the device already`)
    }
    if (decision === 'approve') await checkAssigned(tx, call, found)
    tx.put(deviceRef(call, found.hash), {
      ...device,
      decision: decision === 'approve' ? { approved: true, entityId, sid } : { approved: false },
    })
    return undefined
  })
  if (refusal !== undefined) throw refusal
}

/** Where whoever holds a token of an entity looks at a waiting device and lets it in or not (RFC 8628 3.3). */
export const deviceApprovalRoutes: readonly Route[] = [
  route({
    path: 'oidc/provider/:name/device',
    summary: 'Show a device that waits to be let in; let it in or turn it away',
    fields,
    verbs: {
      read: showDevice,
      update: async (call) => {
        await decide(call)
        return undefined
      },
    },
  }),
]
