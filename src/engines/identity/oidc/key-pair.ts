import { generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { AlgorithmName, PairKind } from './algorithms.ts'
import { algorithmOf } from './algorithms.ts'
import type { PrivateKey, PublicJwk, RingKey } from './records.ts'

/** A key pair as records keep it. */
export interface NewPair {
  readonly ring: RingKey
  readonly private: PrivateKey
}

const generate = promisify(generateKeyPair)

const pairOf = (
  kind: PairKind,
): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> => {
  switch (kind.type) {
    case 'rsa':
      return generate('rsa', { modulusLength: kind.bits })
    case 'ec':
      return generate('ec', { namedCurve: kind.curve })
    case 'ed25519':
      return generate('ed25519')
  }
}

/** Makes a key pair off the event loop; RSA takes a good 100 ms. */
export const newPair = async (algorithm: AlgorithmName, kid: string): Promise<NewPair> => {
  const { publicKey, privateKey } = await pairOf(algorithmOf(algorithm).pair)
  return {
    ring: { kid, algorithm, jwk: publicKey.export({ format: 'jwk' }) as PublicJwk },
    private: {
      kid,
      pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    },
  }
}

/** A current and a next pair. */
export interface FreshPairs {
  readonly algorithm: AlgorithmName
  readonly current: NewPair
  readonly next: NewPair
}

/** Makes both pairs of a new key, or of one that changes its algorithm. */
export const freshPairs = async (
  algorithm: AlgorithmName,
  newId: () => string,
): Promise<FreshPairs> => {
  const [current, next] = await Promise.all([
    newPair(algorithm, newId()),
    newPair(algorithm, newId()),
  ])
  return { algorithm, current, next }
}
