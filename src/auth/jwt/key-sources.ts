import { LRUCache } from 'lru-cache'
import type { Mount } from '../../engine/call.ts'
import { limits } from '../../limits.ts'
import type { CompactJws } from '../../std/compact-jws.ts'
import { discover } from './discovery.ts'
import { libraryTexts } from './library-texts.ts'
import type { Outbound, Trust } from './outbound.ts'
import { OutboundFailure } from './outbound.ts'
import type { ConfigRecord } from './records.ts'
import type { VerificationKey } from './verification-keys.ts'
import { isSignedByOne, keysOfJwks, keysOfPem } from './verification-keys.ts'

/** No key made the signature, or no keys could be had; the message is what a login answers. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused'
}

/** The provider's document could not be had, so there is nothing to check tokens with. */
export class NoKeySource extends Error {
  override readonly name = 'NoKeySource'
}

/** What checks the signatures of a mount's tokens. */
export interface KeySource {
  /** Returns if one of the keys signed the token. `now` in ms. Throws SignatureRefused and NoKeySource. */
  verify(jws: CompactJws, now: number): Promise<void>
}

const configuredKeys = (pems: readonly string[]): KeySource => {
  const keys = pems.flatMap(keysOfPem)
  return {
    verify: async (jws) => {
      if (!isSignedByOne(jws, keys)) throw new SignatureRefused(libraryTexts.noStaticKeyFits)
    },
  }
}

/** Reads a set of keys from its URL. Throws OutboundFailure. */
export const fetchKeys = async (
  outbound: Outbound,
  url: string,
  trust: Trust,
): Promise<readonly VerificationKey[]> => {
  const answer = await outbound(url, trust)
  if (answer.status !== 200) throw new OutboundFailure(`status ${answer.status}`)
  const keys = keysOfJwks(answer.body)
  if (keys === undefined) throw new OutboundFailure('the answer is not a JSON Web Key Set')
  return keys
}

interface FetchedKeys {
  readonly keys: readonly VerificationKey[]
  readonly at: number
}

/**
 * Keys behind a URL: fetched when first needed, again when they are old, and again when a token fits none of them (a
 * rotated key), with a pause after a fetch that did not help. Concurrent logins share one fetch.
 */
const fetchedKeys = (load: () => Promise<readonly VerificationKey[]>): KeySource => {
  let held: FetchedKeys | undefined
  let pausedUntil = 0
  let running: Promise<FetchedKeys> | undefined

  const fetch = (now: number): Promise<FetchedKeys> => {
    running ??= load()
      .then((keys) => (held = { keys, at: now }))
      .finally(() => (running = undefined))
    return running
  }

  const current = async (now: number): Promise<FetchedKeys> => {
    const kept = held
    if (kept !== undefined && now - kept.at < limits.fetchedKeysFreshMs) return kept
    const usable = kept !== undefined && now - kept.at < limits.fetchedKeysStaleMs
    if (usable && now < pausedUntil) return kept
    try {
      return await fetch(now)
    } catch (error) {
      pausedUntil = now + limits.fetchedKeysPauseMs
      if (usable && error instanceof OutboundFailure) return kept
      throw error
    }
  }

  const verify = async (jws: CompactJws, now: number): Promise<void> => {
    const known = await current(now)
    if (isSignedByOne(jws, known.keys)) return
    const mayFetch = now >= pausedUntil && known.at !== now
    if (mayFetch || running !== undefined) {
      if (mayFetch) pausedUntil = now + limits.fetchedKeysPauseMs
      const renewed = await fetch(now)
      if (isSignedByOne(jws, renewed.keys)) {
        pausedUntil = 0
        return
      }
    }
    throw new SignatureRefused(libraryTexts.noFetchedKeyFits)
  }

  return {
    verify: async (jws, now) => {
      try {
        await verify(jws, now)
      } catch (error) {
        if (!(error instanceof OutboundFailure)) throw error
        throw new SignatureRefused(libraryTexts.fetchingKeys(error.message), { cause: error })
      }
    },
  }
}

const discoveredKeys = (outbound: Outbound, url: string, trust: Trust): KeySource =>
  fetchedKeys(async () => {
    let jwksUri: string
    try {
      jwksUri = (await discover(outbound, url, trust)).jwksUri
    } catch (error) {
      if (!(error instanceof OutboundFailure)) throw error
      throw new NoKeySource(libraryTexts.discovery(error.message), { cause: error })
    }
    return fetchKeys(outbound, jwksUri, trust)
  })

/** Whom the connections to a mount's key set trust. */
export const jwksTrust = (config: ConfigRecord): Trust => ({
  caPem: config.jwksCaPem,
  serverNames: config.overrideAllowedServerNames,
})

/** Whom the connections to a mount's provider trust. */
export const discoveryTrust = (config: ConfigRecord): Trust => ({
  caPem: config.oidcDiscoveryCaPem,
  serverNames: config.overrideAllowedServerNames,
})

const sourceOf = (config: ConfigRecord, outbound: Outbound): KeySource => {
  if (config.oidcDiscoveryUrl !== '') {
    return discoveredKeys(outbound, config.oidcDiscoveryUrl, discoveryTrust(config))
  }
  if (config.jwksUrl !== '') {
    return fetchedKeys(() => fetchKeys(outbound, config.jwksUrl, jwksTrust(config)))
  }
  return configuredKeys(config.jwtValidationPubkeys)
}

/** The key sources of all mounts, kept in memory as long as their configuration stands. */
export interface KeySources {
  of(mount: Pick<Mount, 'uuid'>, config: ConfigRecord): KeySource
}

export const keySources = (outbound: Outbound): KeySources => {
  const kept = new LRUCache<string, { readonly revision: string; readonly source: KeySource }>({
    max: limits.cachedKeySources,
  })
  return {
    of: ({ uuid }, config) => {
      const known = kept.get(uuid)
      if (known?.revision === config.revision) return known.source
      const source = sourceOf(config, outbound)
      kept.set(uuid, { revision: config.revision, source })
      return source
    },
  }
}
