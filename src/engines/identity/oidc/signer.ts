import type { KeyObject } from 'node:crypto'
import { createPrivateKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Reader } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import type { Json } from '../../../std/json.ts'
import { stringifyJson } from '../../../std/json.ts'
import { algorithmOf } from './algorithms.ts'
import type { KeyRecord, RingKey } from './records.ts'
import type { Place } from './refs.ts'
import { privateKeysRef } from './refs.ts'

/** A key that is ready to sign. */
export interface SigningKey {
  readonly ring: RingKey
  readonly secret: KeyObject
}

/** Signs tokens. Keys stay ready by their id, which is random and never given to another key. */
export class Signer {
  readonly #ready = new LRUCache<string, KeyObject>({ max: limits.cachedSigningKeys })

  /** The current key of a named key, as `reader` sees both; undefined when it has no keys yet. */
  async signingKey(
    reader: Reader,
    place: Place,
    { name, current }: KeyRecord,
  ): Promise<SigningKey | undefined> {
    if (current === undefined) return undefined
    const known = this.#ready.get(current.kid)
    if (known !== undefined) return { ring: current, secret: known }
    const keys = await reader.get(privateKeysRef(place, name))
    // Outside a transaction a rotation may lie between the two reads: the other half is then the next record's.
    if (keys?.current.kid !== current.kid) return undefined
    const secret = createPrivateKey({
      key: Buffer.from(keys.current.pkcs8, 'base64'),
      format: 'der',
      type: 'pkcs8',
    })
    this.#ready.set(current.kid, secret)
    return { ring: current, secret }
  }

  /** The compact JWS of these claims; its header has `alg` and `kid` and no more (identity.md 5.4). */
  async sign(
    { ring, secret }: SigningKey,
    claims: Readonly<Record<string, Json | undefined>>,
  ): Promise<string> {
    const header = encoded(`{"alg":"${ring.algorithm}","kid":"${ring.kid}"}`)
    const sent = Object.fromEntries(
      Object.entries(claims).filter((claim): claim is [string, Json] => claim[1] !== undefined),
    )
    const signed = `${header}.${encoded(stringifyJson(sent))}`
    const signature = await algorithmOf(ring.algorithm).sign(secret, Buffer.from(signed))
    return `${signed}.${Buffer.from(signature).toString('base64url')}`
  }
}

const encoded = (text: string): string => Buffer.from(text).toString('base64url')
