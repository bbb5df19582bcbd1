import { setTimeout as wait } from 'node:timers/promises'
import type { Driven } from '../drive.ts'
import { drive, requestText, send } from '../drive.ts'
import { idOf } from './dataset.ts'
import { drain } from './drain.ts'
import type { Issuer } from './load.ts'
import { enableJwt, makeMany } from './load.ts'
import { print } from '../figures.ts'
import { printFigure } from './report.ts'
import type { Site } from './site.ts'
import { uniform } from './zipf.ts'

/*
 * What is done once to a server: it changes so much, or takes so long, that it is not measured in rounds. Meanwhile one client
 * reads entities drawn uniformly, one read after the other.
 */

const READ_P99_MS = 50
/** How long after a large change its clean-up is watched, at most. */
const CLEAN_UP_MS = 600_000
/** A server that uses less of a core than this, three seconds long, has nothing to clean up. */
const QUIET_MS = 60

const readBeside = async (site: Site, signal: AbortSignal): Promise<Driven> => {
  const next = uniform(site.sizes.entities)
  const driven = await drive({
    port: site.server.port,
    clients: 1,
    signal,
    ask: (count) =>
      requestText(
        'GET',
        `identity/entity/id/${idOf('entity', next())}`,
        site.askers[count % site.askers.length],
      ),
  })
  if (driven.refused > 0) throw new Error(`${driven.refused} reads refused: ${driven.refusal}`)
  return driven
}

/** Runs `work` with a reader beside it. */
const besideReads = async <T>(
  site: Site,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly reads: Driven }> => {
  const done = new AbortController()
  const reading = readBeside(site, done.signal)
  try {
    const value = await work()
    done.abort()
    return { value, reads: await reading }
  } finally {
    done.abort()
  }
}

const cpuMs = async (site: Site): Promise<number> =>
  (await site.server.report()).cpuMicroseconds / 1_000

const printReads = (what: string, { p99Ms, requests, seconds }: Driven): void =>
  printFigure(
    `  a concurrent read's p99 ${what} (${requests} reads in ${seconds.toFixed(1)} s)`,
    p99Ms,
    'ms',
    READ_P99_MS,
  )

/** Until the server rests; ms of CPU that it took, and how long it was. */
const untilQuiet = async (site: Site): Promise<{ readonly ms: number; readonly cpu: number }> => {
  const began = performance.now()
  const first = await cpuMs(site)
  let last = first
  let lastBusy = began
  for (let quiet = 0; quiet < 3 && performance.now() - began < CLEAN_UP_MS;) {
    await wait(1_000)
    const now = await cpuMs(site)
    if (now - last < QUIET_MS) quiet++
    else {
      quiet = 0
      lastBusy = performance.now()
    }
    last = now
  }
  return { ms: lastBusy - began, cpu: last - first }
}

/** CPU of a server of which nobody asks anything: what its background work takes. */
export const printIdle = async (site: Site): Promise<void> => {
  const seconds = 5
  const before = await cpuMs(site)
  await wait(seconds * 1_000)
  printFigure(
    `${site.sizes.entities}: CPU a second of a server that nobody asks`,
    ((await cpuMs(site)) - before) / seconds,
    'ms',
  )
}

const LISTS = [
  'identity/entity/name',
  'identity/entity/id',
  'identity/entity-alias/id',
  'identity/group/id',
]

/** LIST of everything, without limit. */
export const printLists = async (site: Site): Promise<void> => {
  const { reads: alone } = await besideReads(site, () => wait(3_000))
  printFigure(`${site.sizes.entities}: p99 of a reader by itself`, alone.p99Ms, 'ms')
  for (const path of LISTS) {
    const { value, reads } = await besideReads(site, () =>
      drain(site.server.port, requestText('LIST', path, 'root')),
    )
    const { bytes, ms, status, beginning } = value
    print(
      `${site.sizes.entities}: LIST ${path}: ${status}, ${(bytes / 1e6).toFixed(1)} MB in ${(ms / 1_000).toFixed(1)} s` +
        (status === 200 ? '' : ` ${beginning.slice(-300).trim()}`),
    )
    printReads('meanwhile', reads)
  }
}

/** Revokes a token with many children. */
export const printRevocation = async (site: Site): Promise<void> => {
  const { children } = site.sizes
  const { port } = site.server
  const parent = (await send(port, 'POST', 'auth/token/create', {
    policies: ['people'],
  })) as { readonly auth: { readonly client_token: string } }
  const token = parent.auth.client_token
  let child = ''
  await makeMany(port, children - 1, () => requestText('POST', 'auth/token/create', token, {}))
  const one = (await send(port, 'POST', 'auth/token/create', {}, token)) as typeof parent
  child = one.auth.client_token
  await revokeAndWatch(site, `revoking a token with ${children} children`, child, () =>
    send(port, 'POST', 'auth/token/revoke', { token }),
  )
}

/** Disables a mount with as many tokens. */
export const printDisabling = async (site: Site, issuer: Issuer): Promise<void> => {
  const { children } = site.sizes
  const { port } = site.server
  const path = `doomed-${Date.now().toString(36)}`
  await enableJwt(port, path, issuer)
  const login = { role: 'people', jwt: site.jwtOf('somebody') }
  await makeMany(port, children - 1, () =>
    requestText('POST', `auth/${path}/login`, undefined, login),
  )
  const one = (await send(port, 'POST', `auth/${path}/login`, login)) as {
    readonly auth: { readonly client_token: string }
  }
  await revokeAndWatch(
    site,
    `disabling a mount with ${children} tokens`,
    one.auth.client_token,
    () => send(port, 'DELETE', `sys/auth/${path}`),
  )
}

const revokeAndWatch = async (
  site: Site,
  what: string,
  token: string,
  change: () => Promise<unknown>,
): Promise<void> => {
  const before = await cpuMs(site)
  const began = performance.now()
  await change()
  const ms = performance.now() - began
  const cpu = (await cpuMs(site)) - before
  const { status } = await fetch(`http://127.0.0.1:${site.server.port}/v1/auth/token/lookup-self`, {
    headers: { 'x-vault-token': token },
  })
  print(
    `${site.sizes.entities}: ${what}: answered in ${ms.toFixed(1)} ms, ${cpu.toFixed(1)} ms CPU; ` +
      `one of them is answered ${status} at once`,
  )
  const { reads } = await besideReads(site, () => wait(10_000))
  printReads('in the ten seconds after', reads)
  const rest = await untilQuiet(site)
  print(
    `  cleaning up went on for ${(rest.ms / 1_000).toFixed(0)} s more, ${(rest.cpu / 1_000).toFixed(1)} s CPU`,
  )
}
