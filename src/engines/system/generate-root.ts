import type { Call, Namespace } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { SealPort } from '../../engine/ports/seal.ts'
import type { Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { decodeRawBase64 } from './base64.ts'
import type { SystemOptions } from './options.ts'
import { Proofs } from './proofs.ts'
import { decodeUnsealKeyText, unsealKeyProblem } from './unseal-key.ts'

/** `gr/<ns>`: a root token being made. The unseal keys given for it are with the supervisor. */
interface Attempt {
  readonly nonce: string
  /** What the token will be hidden with: a secret. */
  readonly otp: string
}
const attempts = recordKind<Attempt>('gr')

/** As long as a token's text. */
const OTP_LENGTH = 26

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const refOf = (namespace: Namespace): Ref<Attempt> => attempts.at(namespace.number)

/** Random base-62 text; bytes above the last multiple of 62 are drawn again. */
const drawOtp = (randomBytes: Call['randomBytes']): string => {
  let otp = ''
  while (otp.length < OTP_LENGTH) {
    for (const byte of randomBytes(OTP_LENGTH)) {
      if (byte < 248 && otp.length < OTP_LENGTH) otp += ALPHABET[byte % 62]
    }
  }
  return otp
}

const xor = (one: Buffer, other: Buffer): Buffer =>
  Buffer.from(one.map((byte, at) => byte ^ other[at]!))

/** Standard base64 without padding. */
const encodeRaw = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

const statusOf = async (
  seal: SealPort,
  attempt: Attempt | undefined,
  otp = '',
): Promise<Record<string, unknown>> => {
  const { threshold: required } = await seal.status()
  const common = { complete: false, otp, otp_length: OTP_LENGTH, required }
  if (attempt === undefined) return { ...common, started: false, progress: 0 }
  return {
    ...common,
    started: true,
    progress: await seal.proofProgress('generate-root', attempt.nonce),
    nonce: attempt.nonce,
    pgp_fingerprint: '',
  }
}

const attemptFields = {
  otp: field.string({
    default: '',
    description: 'What to hide the token with; drawn unless given',
  }),
  pgp_key: field.string({ default: '', description: 'Not supported yet' }),
}

const begin = async (
  call: Pick<
    Call<InputOf<typeof attemptFields>>,
    'records' | 'namespace' | 'input' | 'newId' | 'randomBytes'
  >,
  seal: SealPort,
): Promise<DataResult> => {
  const { otp: given, pgp_key: pgpKey } = call.input
  if (given !== '' && Buffer.byteLength(given) !== OTP_LENGTH) {
    throw invalid('OTP string has incorrect length')
  }
  if (pgpKey !== '') throw invalid('PGP keys are not supported yet: leave out pgp_key')
  const drawn = given === '' ? drawOtp(call.randomBytes) : ''
  const attempt: Attempt = { nonce: call.newId(), otp: given === '' ? drawn : given }
  const ref = refOf(call.namespace)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) !== undefined) {
      throw invalid('root generation already in progress for this namespace')
    }
    tx.put(ref, attempt)
  })
  return data(await statusOf(seal, attempt, drawn))
}

const cancel = async (
  call: Pick<Call, 'records' | 'namespace'>,
  seal: SealPort,
): Promise<undefined> => {
  const ref = refOf(call.namespace)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) !== undefined) tx.delete(ref)
  })
  await seal.forgetProof('generate-root')
  return undefined
}

const keyFields = {
  key: field.string({ default: '', description: 'One unseal key, hex or base64' }),
  nonce: field.string({ default: '', description: 'Of the attempt' }),
}

type KeyCall = Pick<
  Call<InputOf<typeof keyFields>>,
  'records' | 'namespace' | 'input' | 'requestId'
>

const keyOf = ({ input }: KeyCall): Buffer => {
  if (input.nonce === '') throw invalid('nonce is required')
  if (input.key === '') throw invalid('key is required')
  const key = decodeUnsealKeyText(input.key)
  if (key === undefined) throw failed(`'key' must be a valid hex or base64 string`)
  const problem = unsealKeyProblem(key)
  if (problem !== undefined) throw failed(`invalid key: ${problem}`)
  return key
}

const finish = async (call: KeyCall, seal: SealPort, attempt: Attempt): Promise<DataResult> => {
  const status = await statusOf(seal, attempt)
  const ref = refOf(call.namespace)
  // First, so that of two who have proved it at once only one makes a token.
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref))?.nonce !== attempt.nonce) throw failed('no root generation in progress')
    tx.delete(ref)
  })
  const token = await seal.makeRootToken()
  const encoded = encodeRaw(xor(Buffer.from(attempt.otp), Buffer.from(token)))
  return data({
    ...status,
    progress: status['required'],
    complete: true,
    encoded_token: encoded,
    encoded_root_token: encoded,
  })
}

const update = async (call: KeyCall, seal: SealPort, proofs: Proofs): Promise<DataResult> => {
  const key = keyOf(call)
  const attempt = await call.records.get(refOf(call.namespace))
  if (attempt === undefined) throw failed('no root generation in progress')
  if (call.input.nonce !== attempt.nonce) {
    throw failed(
      `incorrect nonce supplied; nonce for this root generation operation is "${attempt.nonce}"`,
    )
  }
  const proof = await proofs.of(call.requestId, () =>
    seal.prove({ purpose: 'generate-root', nonce: attempt.nonce }, key),
  )
  key.fill(0)
  switch (proof.kind) {
    case 'repeated':
      throw failed('given key has already been provided during this generation operation')
    case 'wrong':
      throw failed(
        'root generation aborted: unable to authenticate: unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed',
      )
    case 'progress':
      return data(await statusOf(seal, attempt))
    case 'proved':
      return finish(call, seal, attempt)
  }
}

const decodeToken = (encoded: string, otp: string): DataResult => {
  if (encoded === '' || otp === '') {
    throw invalid(`provided 'encoded_token' or 'otp' is empty`)
  }
  const bytes = decodeRawBase64(encoded)
  if (!Buffer.isBuffer(bytes)) {
    throw invalid(
      `error decoding base64'd token: illegal base64 data at input byte ${bytes.faultAt}`,
    )
  }
  const key = Buffer.from(otp)
  if (bytes.length !== key.length) {
    throw invalid(
      `error xoring token: length of byte slices is not equivalent: ${bytes.length} != ${key.length}`,
    )
  }
  return data({ token: xor(bytes, key).toString() })
}

/** `sys/generate-root-token/…` and `sys/decode-token`; `sys/generate-root/…`, which asks for no token, is switched off. */
export const generateRootRoutes = ({ seal }: SystemOptions, proofs = new Proofs()) => [
  route({
    path: 'generate-root-token/attempt',
    summary: 'Begin, look at or cancel the making of a root token',
    fields: attemptFields,
    verbs: {
      read: async (call) =>
        data(await statusOf(seal, await call.records.get(refOf(call.namespace)))),
      update: (call) => begin(call, seal),
      delete: (call) => cancel(call, seal),
    },
  }),
  route({
    path: 'generate-root-token/update',
    summary: 'Give one unseal key; the last one gives the token, hidden',
    fields: keyFields,
    verbs: { update: (call) => update(call, seal, proofs) },
  }),
  route({
    path: 'decode-token',
    summary: 'Uncover a root token that was made with a one-time password',
    fields: {
      encoded_token: field.string({ default: '', description: 'The hidden token' }),
      otp: field.string({ default: '', description: 'What it was hidden with' }),
    },
    public: true,
    verbs: { update: ({ input }) => decodeToken(input.encoded_token, input.otp) },
  }),
  ...['attempt', 'update'].map((operation) =>
    route({
      path: `generate-root/${operation}`,
      summary: 'Switched off: use sys/generate-root-token with a token',
      fields: {},
      public: true,
      verbs: {},
    }),
  ),
]
