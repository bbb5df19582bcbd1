import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Mount } from '../../engine/call.ts'
import type { Engine } from '../../engine/engine.ts'
import { idBytes } from '../../engine/records.ts'
import type { Names } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import type { Login, Renewal } from '../../engine/result.ts'
import type { Verb } from '../../engine/route.ts'
import { readInput } from '../../core/input.ts'
import { ConflictQueues, createRecords } from '../../core/records.ts'
import { RequestCall } from '../../core/request-call.ts'
import { compileRoutes } from '../../core/router.ts'
import type { Json } from '../../std/json.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'

/*
 * For tests: the engine mounted on a store in memory, asked through the core's router and input reader; and a party that
 * signs tokens.
 */

/** What a request came to. */
export interface Answer {
  readonly status: number
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly login?: Login
  readonly warnings: readonly string[]
  /** Codes of the hints. */
  readonly hints?: readonly string[]
  readonly error?: string
}

/** A mount of the method. */
export interface FakeMount {
  /** The mount's time in ms; tests set it. */
  now: number
  remoteAddress: string
  ask(verb: Verb, path: string, body?: Readonly<Record<string, Json>>): Promise<Answer>
  renew(internal: Readonly<Record<string, string>>): Promise<Renewal | undefined>
}

const UUID = '3f1f9d31-9d0c-4f0b-8d5c-0f6f2f7f9a11'

const mount: Mount = {
  uuid: UUID,
  key: idBytes(UUID)!,
  accessor: 'auth_jwt_00000001',
  type: 'jwt',
  path: 'auth/jwt/',
  description: '',
  local: false,
  options: null,
  defaultLeaseTtlSeconds: 2_764_800,
  maxLeaseTtlSeconds: 2_764_800,
  tokenType: 'default-service',
}

const namespace = { id: 'root', number: 0, path: '' }

const hash: Names['hash'] = (kind, text) =>
  createHmac('sha256', kind).update(text).digest().subarray(0, 16)

const names: Names = {
  hash,
  hashNew: hash,
}

/** Mounts the engine on an empty store. */
export const fakeMount = (engine: Engine): FakeMount => {
  const records = createRecords({ store: createMemoryStore(), queues: new ConflictQueues() })
  const match = compileRoutes(engine.routes)

  const answer = async (
    self: FakeMount,
    verb: Verb,
    path: string,
    body: Readonly<Record<string, Json>> | undefined,
  ): Promise<Answer> => {
    const found = match(path)
    if (found === undefined) return { status: 404, warnings: [], error: 'unsupported path' }
    const { route, captures } = found
    const writes = verb === 'create' || verb === 'update'
    const call = new RequestCall({
      request: {
        requestId: UUID,
        remoteAddress: self.remoteAddress,
        headers: {},
        path: `auth/jwt/${path}`,
        data: body,
      } as unknown as ConstructorParameters<typeof RequestCall>[0]['request'],
      input: readInput(route, captures, body, writes ? 'update' : 'read'),
      verb,
      namespace,
      mount,
      caller: undefined,
      now: self.now,
      records,
      names,
      wrapTtlSeconds: undefined,
    })
    const handler = route.verbs[verb]
    if (handler === undefined) return { status: 405, warnings: [], error: 'unsupported operation' }
    const result = await handler(call)
    const { warnings } = call
    const hints = call.hints.map(({ code }) => code)
    switch (result?.kind) {
      case undefined:
        return { status: verb === 'read' || verb === 'list' ? 404 : 204, warnings, hints }
      case 'data':
        return { status: 200, data: result.data, warnings }
      case 'list': {
        const keys: string[] = []
        for await (const page of result.pages) keys.push(...page.keys)
        return keys.length === 0
          ? { status: 404, warnings }
          : { status: 200, data: { keys }, warnings }
      }
      case 'login':
        return { status: 200, login: await records.transact(result.decide), warnings }
      case 'auth':
      case 'raw':
      case 'second-factor':
      case 'stream':
      case 'wrapped':
        throw new Error(`auth/jwt does not answer ${result.kind}`)
    }
  }

  const self: FakeMount = {
    now: Date.UTC(2026, 6, 1),
    remoteAddress: '127.0.0.1',
    ask: async (verb, path, body) => {
      try {
        return await answer(self, verb, path, body)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return { status: error.status, warnings: [], error: error.message }
      }
    },
    renew: (internal) =>
      records.transact(async (tx) =>
        engine.renew?.({ namespace, mount, names, now: self.now, internal, tokenPolicies: [] }, tx),
      ),
  }
  return self
}

/** A party with a key pair. */
export interface Signer {
  readonly alg: string
  readonly publicKey: KeyObject
  readonly pem: string
  /** Its public key as a member of a JSON Web Key Set. */
  jwk(kid: string): Readonly<Record<string, unknown>>
  token(claims: unknown, header?: Readonly<Record<string, unknown>>): string
}

const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const signerOf = (
  alg: string,
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
): Signer => ({
  alg,
  publicKey: keys.publicKey,
  pem: keys.publicKey.export({ type: 'spki', format: 'pem' }) as string,
  jwk: (kid) => ({ ...keys.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg }),
  token: (claims, header = {}) => {
    const signed = `${part({ alg, typ: 'JWT', ...header })}.${part(claims)}`
    const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
    const signature = sign(hash, Buffer.from(signed), {
      key: keys.privateKey,
      dsaEncoding: 'ieee-p1363',
      ...(alg.startsWith('PS') ? { padding: 6, saltLength: -1 } : {}),
    })
    return `${signed}.${signature.toString('base64url')}`
  },
})

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

/** A new party that signs with this algorithm. */
export const newSigner = (alg: string): Signer => {
  const curve = CURVES[alg]
  if (curve !== undefined) return signerOf(alg, generateKeyPairSync('ec', { namedCurve: curve }))
  if (alg === 'EdDSA') return signerOf(alg, generateKeyPairSync('ed25519'))
  return signerOf(alg, generateKeyPairSync('rsa', { modulusLength: 2048 }))
}

/** A token without a signature or with an HMAC: what an attacker makes who knows the public key only. */
export const forgedToken = (alg: string, claims: unknown, secret?: string): string => {
  const signed = `${part({ alg })}.${part(claims)}`
  const signature =
    secret === undefined
      ? ''
      : createHmac('sha256', secret).update(signed).digest().toString('base64url')
  return `${signed}.${signature}`
}
