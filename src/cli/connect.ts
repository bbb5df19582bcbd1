import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ApiClient } from '../client/api-client.ts'
import type { ApiRequest, ClientOptions } from '../client/api-client.ts'
import type { TlsOptions } from '../client/transport.ts'
import type { DevEnvironment } from './dev-environment.ts'
import { readDevEnvironment } from './dev-environment.ts'
import { environment } from './environment.ts'
import { localFailure } from './failure.ts'
import type { FlagValues } from './flags.ts'
import type { CommandIo } from './io.ts'
import type { TokenHelper } from './token-helper.ts'
import { fileTokenHelper, tokenHelper } from './token-helper.ts'

const DEFAULT_ADDRESS = 'https://127.0.0.1:8200'
const DEFAULT_TIMEOUT_SECONDS = 60

/** Where the server is, and what keeps the token; before anything is read or sent. */
export type Target = {
  readonly address: string
  readonly helper: TokenHelper
  /** Present when only `.signet/dev/env` named the server. */
  readonly dev: DevEnvironment | undefined
}

/** The server that flags and environment name, else the one that `npm start` runs here, else the default. */
export const targetOf = async (flags: FlagValues, io: CommandIo): Promise<Target> => {
  const agent = flags.text('agent-address')
  const named = agent !== undefined && agent !== '' ? agent : flags.text('address')
  const dev = named === undefined ? await readDevEnvironment(io.checkout) : undefined
  const written = named ?? dev?.address ?? ''
  const address = written === '' ? DEFAULT_ADDRESS : written
  const helper = dev === undefined ? await tokenHelper(io, address) : fileTokenHelper(dev.tokenFile)
  return { address, helper, dev }
}

/** The token for a target: environment, then helper, then what `npm start` left; '' when there is none. */
export const tokenOf = async (target: Target, io: CommandIo): Promise<string> => {
  const set = environment(io.env, 'TOKEN')
  if (set !== undefined && set !== '') return set.trim()
  const kept = await target.helper.get()
  return kept === '' ? (target.dev?.token ?? '') : kept
}

/** The client that flags, environment and token helper describe. `intercept` sees each request before it is sent. */
export const connect = async (
  flags: FlagValues,
  io: CommandIo,
  intercept?: (client: ApiClient, request: ApiRequest) => void,
): Promise<ApiClient> => {
  const target = await targetOf(flags, io)
  const namespace = flags.text('ns') ?? flags.text('namespace') ?? ''
  const wrapTtl = flags.text('wrap-ttl') ?? ''
  const options: ClientOptions = {
    address: target.address,
    tls: await tlsOptions(flags, io),
    token: await tokenOf(target, io),
    timeoutMilliseconds: await timeoutMilliseconds(io),
    followRedirects: !flags.boolean('disable-redirects'),
    maxRetries: wholeNumber(io, 'MAX_RETRIES'),
    headers: extraHeaders(flags),
    mfa: flags.list('mfa'),
    ...(namespace === '' ? {} : { namespace }),
    ...(wrapTtl === '' || wrapTtl === '0' ? {} : { wrapTtl }),
  }
  const shown = new ApiClient(options)
  return intercept === undefined
    ? shown
    : shown.with({ intercept: (request) => intercept(shown, request) })
}

const extraHeaders = (flags: FlagValues): Record<string, string[]> => {
  const headers = new Map<string, string[]>()
  for (const pair of flags.list('header')) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (at < 1) throw localFailure(`invalid value "${pair}" for flag -header: missing =`)
    if (name.toLowerCase().startsWith('x-vault-')) {
      throw localFailure(
        `failed to setup Headers[${name}]: ` +
          `Header starting by 'X-Vault-' are for internal usage only`,
      )
    }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      throw localFailure(`invalid value "${pair}" for flag -header: no name of a header`)
    }
    headers.set(name, [...(headers.get(name) ?? []), pair.slice(at + 1)])
  }
  if (flags.boolean('policy-override')) headers.set('X-Vault-Policy-Override', ['true'])
  return Object.fromEntries(headers)
}

const wholeNumber = (io: CommandIo, name: string): number => {
  const written = environment(io.env, name) ?? ''
  if (written === '') return 0
  if (!/^\d+$/.test(written)) throw localFailure(`${name} must be a whole number, not ${written}`)
  return Number(written)
}

const timeoutMilliseconds = async (io: CommandIo): Promise<number> => {
  const written = environment(io.env, 'CLIENT_TIMEOUT') ?? ''
  if (written === '') return DEFAULT_TIMEOUT_SECONDS * 1000
  const { parseVaultNanoseconds } = await import('../std/go-duration.ts')
  try {
    return Number(parseVaultNanoseconds(written) / 1_000_000n)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw localFailure(`Could not parse CLIENT_TIMEOUT: ${why}`)
  }
}

const tlsOptions = async (flags: FlagValues, io: CommandIo): Promise<TlsOptions> => {
  const ca = await caCertificates(flags, io)
  const cert = await pem(flags.text('client-cert'), environment(io.env, 'CLIENT_CERT_BYTES'))
  const key = await pem(flags.text('client-key'), environment(io.env, 'CLIENT_KEY_BYTES'))
  if ((cert === undefined) !== (key === undefined)) {
    throw localFailure('both client cert and client key must be provided')
  }
  const serverName = flags.text('tls-server-name') ?? ''
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === '' ? {} : { serverName }),
    skipVerify: flags.boolean('tls-skip-verify'),
  }
}

const pem = async (
  path: string | undefined,
  bytes: string | undefined,
): Promise<string | undefined> => {
  if (path !== undefined && path !== '') return await certificateFile(path)
  return bytes === undefined || bytes === '' ? undefined : bytes
}

const caCertificates = async (flags: FlagValues, io: CommandIo): Promise<string[] | undefined> => {
  const file = await pem(flags.text('ca-cert'), environment(io.env, 'CACERT_BYTES'))
  if (file !== undefined) return [file]
  const folder = flags.text('ca-path') ?? ''
  if (folder === '') return undefined
  let names: string[]
  try {
    names = (await readdir(folder)).sort()
  } catch (error) {
    throw localFailure(`Error loading CA certificates: ${messageOf(error)}`)
  }
  const texts = await Promise.all(names.map((name) => certificateFile(join(folder, name))))
  return texts.filter((text) => text.includes('-----BEGIN'))
}

const certificateFile = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw localFailure(`Error loading ${path}: ${messageOf(error)}`)
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
