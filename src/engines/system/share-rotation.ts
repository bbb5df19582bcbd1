import type { Call, Namespace } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { InputOf } from '../../engine/field.ts'
import type { SealPort } from '../../engine/ports/seal.ts'
import type { Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import { invalid, Refusal } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { sealConfigProblem } from './init.ts'
import type { SystemOptions } from './options.ts'
import { Proofs } from './proofs.ts'
import { decodeUnsealKey, unsealKeyProblem } from './unseal-key.ts'

/** `ro/<ns>`: a rotation of the unseal keys under way. The keys given for it are with the supervisor. */
interface Rotation {
  readonly nonce: string
  readonly shares: number
  readonly threshold: number
  readonly verify: boolean
  /** New keys that were given out and wait to be verified: a secret. */
  readonly drawn?: string
  readonly verificationNonce: string
}
const rotations = recordKind<Rotation>('ro')

const refOf = (namespace: Namespace): Ref<Rotation> => rotations.at(namespace.number)

const initFields = {
  secret_shares: field.int({ default: 0, description: 'New unseal keys to make' }),
  secret_threshold: field.int({ default: 0, description: 'New unseal keys needed to unseal' }),
  pgp_keys: field.list({ default: [], description: 'Not supported yet' }),
  backup: field.bool({ default: false, description: 'Means nothing without pgp_keys' }),
  require_verification: field.bool({
    default: false,
    description: 'The new keys count once they have been given back',
  }),
}

const keyFields = {
  key: field.string({ default: '', description: 'One unseal key, hex or base64' }),
  nonce: field.string({ default: '', description: 'Of the operation' }),
}

type Bare = Pick<Call, 'records' | 'namespace'>
type KeyCall = Pick<
  Call<InputOf<typeof keyFields>>,
  'records' | 'namespace' | 'input' | 'newId' | 'requestId'
>

const present = (call: Bare): Promise<Rotation | undefined> =>
  call.records.get(refOf(call.namespace))

const notInProgress = (): Refusal => invalid('no rotation in progress')

const statusOf = async (
  seal: SealPort,
  rotation: Rotation | undefined,
): Promise<Record<string, unknown>> => {
  const { threshold: required } = await seal.status()
  if (rotation === undefined) return { started: false, t: 0, n: 0, required }
  return {
    started: true,
    nonce: rotation.nonce,
    t: rotation.threshold,
    n: rotation.shares,
    progress: await seal.proofProgress('rotate', rotation.nonce),
    required,
    verification_required: rotation.verify,
    verification_nonce: rotation.verificationNonce,
  }
}

const verificationOf = async (
  seal: SealPort,
  rotation: Rotation,
): Promise<Record<string, unknown>> => ({
  nonce: rotation.verificationNonce,
  started: rotation.drawn !== undefined,
  t: rotation.threshold,
  n: rotation.shares,
  progress: await seal.proofProgress('verify', rotation.verificationNonce),
})

/** How the reference prints the reason of these refusals. */
const goError = (text: string): string => `%!w(*errors.errorString=&{${text}})`

const init = async (
  call: Pick<Call<InputOf<typeof initFields>>, 'records' | 'namespace' | 'input' | 'newId'>,
  seal: SealPort,
): Promise<DataResult> => {
  const { input } = call
  const problem =
    sealConfigProblem(input.secret_shares, input.secret_threshold) ??
    (input.pgp_keys.length > 0 && input.pgp_keys.length !== input.secret_shares
      ? 'count mismatch between number of provided PGP keys and number of shares'
      : undefined)
  const rotation: Rotation = {
    nonce: call.newId(),
    shares: input.secret_shares,
    threshold: input.secret_threshold,
    verify: input.require_verification,
    verificationNonce: '',
  }
  const ref = refOf(call.namespace)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) !== undefined) throw invalid('rotation already in progress')
    if (problem !== undefined) {
      throw invalid(`invalid rotate seal configuration: ${goError(problem)}`)
    }
    if (input.pgp_keys.length > 0) {
      throw invalid('PGP keys are not supported yet: leave out pgp_keys')
    }
    tx.put(ref, rotation)
  })
  return data(await statusOf(seal, rotation))
}

const cancel = async (call: Bare, seal: SealPort): Promise<undefined> => {
  const ref = refOf(call.namespace)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) !== undefined) tx.delete(ref)
  })
  await seal.forgetProof('rotate')
  await seal.forgetProof('verify')
  return undefined
}

/** The key and nonce of a request, as far as they can be judged by themselves. */
const keyOf = ({ input }: KeyCall): Buffer => {
  if (input.key === '') throw invalid(`missing required field 'key'`)
  const key = decodeUnsealKey(input.key)
  if (input.nonce === '') throw invalid(`missing required field 'nonce'`)
  return key
}

const checkLength = (key: Buffer): void => {
  const problem = unsealKeyProblem(key)
  if (problem !== undefined) throw invalid(problem)
}

/** Changes the rotation, which must still be the one that was judged. */
const settle = (call: Bare, judged: Rotation, next: Rotation | undefined): Promise<void> =>
  call.records.transact(async (tx) => {
    const ref = refOf(call.namespace)
    const now = await tx.get(ref)
    if (now?.nonce !== judged.nonce || (now.drawn === undefined) !== (judged.drawn === undefined)) {
      throw notInProgress()
    }
    if (next === undefined) tx.delete(ref)
    else tx.put(ref, next)
  })

const install = async (seal: SealPort, drawn: string): Promise<void> => {
  if ((await seal.installShares(drawn)) === 'installed') return
  throw new Refusal(
    'unavailable',
    'somebody else changed the seal at the same time; nothing was changed, begin again',
  )
}

const finish = async (call: KeyCall, seal: SealPort, rotation: Rotation): Promise<DataResult> => {
  const { drawn, unsealKeys } = seal.drawShares(rotation)
  const verificationNonce = rotation.verify ? call.newId() : ''
  // First, so that of two who have proved it at once only one gives out keys.
  await settle(
    call,
    rotation,
    rotation.verify ? { ...rotation, drawn, verificationNonce } : undefined,
  )
  if (!rotation.verify) await install(seal, drawn)
  return data({
    nonce: rotation.nonce,
    complete: true,
    keys: unsealKeys.map((key) => key.toString('hex')),
    keys_base64: unsealKeys.map((key) => key.toString('base64')),
    pgp_fingerprints: null,
    backup: false,
    verification_required: rotation.verify,
    verification_nonce: verificationNonce,
  })
}

const update = async (call: KeyCall, seal: SealPort, proofs: Proofs): Promise<DataResult> => {
  const key = keyOf(call)
  const rotation = await present(call)
  if (rotation === undefined) throw notInProgress()
  if (rotation.drawn !== undefined) {
    throw invalid(
      `rotation already finished; verification must be performed; nonce for the verification operation is "${rotation.verificationNonce}"`,
    )
  }
  if (call.input.nonce !== rotation.nonce) {
    throw invalid(`incorrect nonce supplied; nonce for rotation is "${rotation.nonce}"`)
  }
  checkLength(key)
  const proof = await proofs.of(call.requestId, () =>
    seal.prove({ purpose: 'rotate', nonce: rotation.nonce }, key),
  )
  key.fill(0)
  switch (proof.kind) {
    case 'repeated':
      throw invalid('given key has already been provided during this rotation')
    case 'wrong':
      throw invalid(
        'failed to read root key: failed to decrypt keys from storage: cipher: message authentication failed',
      )
    case 'progress':
      return data(await statusOf(seal, rotation))
    case 'proved':
      return finish(call, seal, rotation)
  }
}

const noConfiguration = (): Refusal => invalid('no rotation configuration found')

const verify = async (call: KeyCall, seal: SealPort, proofs: Proofs): Promise<DataResult> => {
  const key = keyOf(call)
  const rotation = await present(call)
  if (rotation === undefined) throw noConfiguration()
  const { drawn, verificationNonce: nonce } = rotation
  if (drawn === undefined) throw invalid('no rotation verification in progress')
  if (call.input.nonce !== nonce) {
    throw invalid(`incorrect nonce supplied; nonce for this verify operation is "${nonce}"`)
  }
  checkLength(key)
  const proof = await proofs.of(call.requestId, () => seal.proveDrawn(nonce, drawn, key))
  key.fill(0)
  switch (proof.kind) {
    case 'repeated':
      throw invalid('given key has already been provided during this verify operation')
    case 'wrong':
      throw invalid('rotation verification failed; incorrect key shares supplied')
    case 'progress':
      return data(await verificationOf(seal, rotation))
    case 'proved':
      await settle(call, rotation, undefined)
      await install(seal, drawn)
      return data({ complete: true, nonce })
  }
}

const restartVerification = async (
  call: Pick<Call, 'records' | 'namespace' | 'newId'>,
  seal: SealPort,
): Promise<DataResult> => {
  const ref = refOf(call.namespace)
  const verificationNonce = call.newId()
  const rotation = await call.records.transact(async (tx) => {
    const now = await tx.get(ref)
    if (now === undefined) throw noConfiguration()
    const next = { ...now, verificationNonce }
    tx.put(ref, next)
    return next
  })
  await seal.forgetProof('verify')
  return data(await verificationOf(seal, rotation))
}

const noBackup = (): Refusal => invalid('no backed-up keys found')

const RECOVERY = `unable to look up config: ${goError('recovery not supported')}`

const backupRoute = (path: string) =>
  route({
    path,
    summary: 'Unseal keys are never kept: there is no backup of them',
    fields: {},
    copyDataToTop: true,
    verbs: {
      read: () => {
        throw noBackup()
      },
      delete: () => undefined,
    },
  })

/** `sys/rotate/root/…`: new unseal keys, or a new root key under the same ones. `sys/rekey/…` without a token is switched off. */
export const shareRotationRoutes = ({ seal }: SystemOptions, proofs = new Proofs()) => [
  route({
    path: 'rotate/root',
    summary: 'Make a new root key under the same unseal keys; needs sudo',
    fields: {},
    sudo: true,
    verbs: {
      update: async () => {
        await seal.rotateRootKey()
        return undefined
      },
    },
  }),
  route({
    path: 'rotate/root/init',
    summary: 'Begin, look at or cancel a rotation of the unseal keys',
    fields: initFields,
    verbs: {
      read: async (call) => data(await statusOf(seal, await present(call))),
      update: (call) => init(call, seal),
      delete: (call) => cancel(call, seal),
    },
  }),
  route({
    path: 'rotate/root/update',
    summary: 'Give one unseal key; the last one gives the new keys',
    fields: keyFields,
    verbs: { update: (call) => update(call, seal, proofs) },
  }),
  route({
    path: 'rotate/root/verify',
    summary: 'Give one of the new unseal keys back, so that they count',
    fields: keyFields,
    verbs: {
      read: async (call) => {
        const rotation = await present(call)
        if (rotation === undefined) throw noConfiguration()
        return data(await verificationOf(seal, rotation))
      },
      update: (call) => verify(call, seal, proofs),
      delete: (call) => restartVerification(call, seal),
    },
  }),
  backupRoute('rotate/root/backup'),
  backupRoute('rekey/backup'),
  route({
    path: 'rotate/recovery/+operation',
    summary: 'Refused: a seal of shares has no recovery keys',
    fields: { operation: field.string({ default: '', description: '`init`, `update` …' }) },
    verbs: {
      read: () => {
        throw invalid(RECOVERY)
      },
      update: () => {
        throw invalid(RECOVERY)
      },
    },
  }),
  ...['init', 'update', 'verify'].map((operation) =>
    route({
      path: `rekey/${operation}`,
      summary: 'Switched off: use sys/rotate/root with a token',
      fields: {},
      public: true,
      verbs: {},
    }),
  ),
  route({
    path: 'rekey-recovery-key/+operation',
    summary: 'Refused: a seal of shares has no recovery keys',
    fields: { operation: field.string({ default: '', description: '`init`, `update` …' }) },
    public: true,
    verbs: {
      read: () => {
        throw new Refusal('missing', 'unsupported path')
      },
    },
  }),
]
