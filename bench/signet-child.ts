import { readFileSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { resolveOwnImports } from '../src/own-imports.ts'
import { childrenOf } from '../test/support/worker-server.ts'
import type { ChildReport, DelayReport, MemoryReport, Order } from './child.ts'

// As the launcher's entry does.
resolveOwnImports()
const { devConfig } = await import('../src/config/dev-config.ts')
const { startServer } = await import('../src/server.ts')

/**
 * The server that is measured, in a process of its own: LMDB and a file audit device in the folder of argument 1, on a
 * free port. Starting on a folder that was used before unseals what is there. Argument 2 is how many processes serve; argument
 * 3 how many strings a body may hold.
 */
const [folder, workers = '1', strings] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: signet-child.ts <folder> [workers] [strings]')

const plain = devConfig({
  listenAddress: '127.0.0.1:0',
  rootTokenId: 'root',
  dataFolder: join(folder, 'signet'),
})
const config = {
  ...plain,
  workers: Number(workers),
  listeners: plain.listeners.map((listener) => ({
    ...listener,
    limits: { ...listener.limits, ...(strings !== undefined && { jsonStrings: Number(strings) }) },
  })),
}
const log = (line: string): void => void process.stderr.write(`signet: ${line}\n`)
const server = await startServer(config, { log })
const profiler = new Session()

/** Kilobytes of a line of `/proc/self/smaps_rollup`; 0 where there is no such file. */
const privateBytes = (): number => {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'latin1')
    let kilobytes = 0
    for (const [, size] of text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)) {
      kilobytes += Number(size)
    }
    return kilobytes * 1024
  } catch {
    return 0
  }
}

/** Resident memory that no file stands behind. */
const anonymousBytes = (): number => {
  try {
    const text = readFileSync('/proc/self/status', 'latin1')
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** A clock tick of `/proc`, microseconds. */
const TICK = 10_000

/** What the processes below this one have used so far: workers, where there are several. */
const cpuBelow = (): number => {
  let ticks = 0
  for (const pid of childrenOf(process.pid)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // It ended meanwhile.
    }
  }
  return ticks * TICK
}

const report = (): ChildReport => {
  const { user, system } = process.cpuUsage()
  const below = config.workers > 1 ? cpuBelow() : 0
  return { cpuMicroseconds: user + system + below }
}

const memory = (): MemoryReport => {
  globalThis.gc?.()
  return { privateBytes: privateBytes(), anonymousBytes: anonymousBytes() }
}

const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()

const delay = (): DelayReport => {
  const report = { p99Ms: delays.percentile(99) / 1e6, maxMs: delays.max / 1e6 }
  delays.reset()
  return report
}

const carryOut = async (order: Order): Promise<unknown> => {
  switch (order.kind) {
    case 'report':
      return report()
    case 'memory':
      return memory()
    case 'delay':
      return delay()
    case 'profile': {
      profiler.connect()
      await profiler.post('Profiler.enable')
      await profiler.post('Profiler.setSamplingInterval', { interval: 250 })
      await profiler.post('Profiler.start')
      return undefined
    }
    case 'profiled': {
      const { profile } = await profiler.post('Profiler.stop')
      writeFileSync(order.file, JSON.stringify(profile))
      profiler.disconnect()
      return undefined
    }
    case 'answer':
      throw new Error('only the bare server is told its answer')
    case 'stop':
      process.disconnect?.()
      return undefined
  }
}

process.on('message', (order: Order) => {
  void carryOut(order).then((value) => {
    if (process.connected) process.send?.({ id: order.id, value })
  })
})
// The bench broke off: nobody could end this server any more.
process.on('disconnect', () => void server.stop())
process.send?.({ port: server.addresses[0]!.port })
