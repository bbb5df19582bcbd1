import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { ApiClient } from '../client/api-client.ts'
import { ApiError, TransportError } from '../client/api-error.ts'
import { texts } from '../client/secret.ts'
import { devConfig } from '../config/dev-config.ts'
import type { ConfigOverrides } from '../config/parse-config.ts'
import type { RunningServer } from '../config/running-server.ts'
import { urlOf } from '../config/running-server.ts'
import { ownVersion } from './commands/version.ts'
import { devEnvironmentText, readEnvironmentFile } from './dev-environment.ts'
import { localFailure } from './failure.ts'
import type { CommandIo } from './io.ts'
import { isFree, portHolder, usedBy } from './port-holder.ts'
import { serve } from './serve.ts'
import { startBanner } from './server-banner.ts'

/** What `npm start` runs: a development server that a folder keeps between starts. */
export type StartOptions = {
  readonly folder: string
  readonly reset: boolean
  /** undefined: the usual port, or the next free one. */
  readonly listenAddress: string | undefined
  readonly rootTokenId: string | undefined
  readonly overrides: ConfigOverrides
}

const HOST = '127.0.0.1'
const USUAL_PORT = 8200
const PORT_STEP = 10
const PORTS_TRIED = 20
/** Enough to tell a newcomer; more are not counted one by one at every start. */
const ENTITIES_COUNTED = 999

/** Runs the development server of a folder until a signal ends it; the exit code. */
export const serveFolder = async (options: StartOptions, io: CommandIo): Promise<number> => {
  const folder = resolve(options.folder)
  const environmentFile = join(folder, 'env')
  await refuseSecond(environmentFile)
  if (options.reset) await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const choice = await chooseAddress(options.listenAddress)
  const config = devConfig(
    {
      listenAddress: choice.listenAddress,
      rootTokenId: options.rootTokenId,
      dataFolder: folder,
    },
    options.overrides,
  )
  return await serve(config, io, async (running) => {
    const address = running.addresses.map(urlOf)[0] ?? ''
    const rootToken = running.rootToken ?? ''
    await writeFile(environmentFile, devEnvironmentText(address, rootToken), { mode: 0o600 })
    return startBanner({
      version: await ownVersion(),
      runtime: `Node ${process.versions.node} ${process.execPath.startsWith(resolve(io.checkout)) ? 'from this checkout' : `at ${process.execPath}`}`,
      address,
      addressNote: choice.note,
      dataFolder: shown(folder),
      auditLog: shown(join(folder, 'audit.log')),
      unsealKey: running.unsealKey ?? '',
      rootToken,
      entities: await countEntities(address, running),
      seconds: performance.now() / 1000,
    })
  })
}

const shown = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

// Two servers over one folder: the second would find it claimed, or with -dev-reset delete it below the first.
const refuseSecond = async (environmentFile: string): Promise<void> => {
  const before = await readEnvironmentFile(environmentFile)
  if (before === undefined) return
  try {
    await clientOf(before.address, '').bytes({ method: 'GET', path: 'sys/seal-status' })
  } catch (error) {
    if (error instanceof TransportError || error instanceof ApiError) return
    throw error
  }
  const holder = await portHolder(Number(new URL(before.address).port))
  const pid = holder === undefined ? '' : `, pid ${holder.pid}`
  throw localFailure(
    `Signet is running here already: ${before.address}${pid}. Stop that one first.`,
  )
}

const clientOf = (address: string, token: string): ApiClient =>
  new ApiClient({
    address,
    token,
    tls: {},
    timeoutMilliseconds: 5000,
    followRedirects: false,
    maxRetries: 0,
  })

const chooseAddress = async (
  wanted: string | undefined,
): Promise<{ readonly listenAddress: string; readonly note: string }> => {
  if (wanted !== undefined) return { listenAddress: wanted, note: '' }
  if (await isFree(HOST, USUAL_PORT)) return { listenAddress: `${HOST}:${USUAL_PORT}`, note: '' }
  const note = usedBy(USUAL_PORT, await portHolder(USUAL_PORT))
  for (let tried = 1; tried <= PORTS_TRIED; tried++) {
    const port = USUAL_PORT + tried * PORT_STEP
    if (await isFree(HOST, port)) return { listenAddress: `${HOST}:${port}`, note }
  }
  throw localFailure(`${note}, and so are the next ports; choose one with -dev-listen-address`)
}

const countEntities = async (address: string, running: RunningServer): Promise<string> => {
  const client = clientOf(address, running.rootToken ?? '')
  const limit = String(ENTITIES_COUNTED + 1)
  const secret = await client.list('identity/entity/id', { limit })
  const count = texts(secret?.data?.['keys']).length
  if (count > ENTITIES_COUNTED) return `more than ${ENTITIES_COUNTED} entities`
  return count === 1 ? '1 entity' : `${count} entities`
}
