import { statfs } from 'node:fs/promises'
import os from 'node:os'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'
import { timeText } from './time-text.ts'

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : (part / whole) * 100)

const cpus = () =>
  os.cpus().map(({ model, speed }, cpu) => ({ cpu, cores: 1, modelName: model, mhz: speed }))

const SECONDS = 1000

const cpuTimes = () =>
  os.cpus().map(({ times }, cpu) => ({
    cpu: `cpu${cpu}`,
    user: times.user / SECONDS,
    system: times.sys / SECONDS,
    idle: times.idle / SECONDS,
    nice: times.nice / SECONDS,
    irq: times.irq / SECONDS,
  }))

const memory = () => {
  const [total, available] = [os.totalmem(), os.freemem()]
  const used = total - available
  return { total, available, free: available, used, usedPercent: percent(used, total) }
}

const rootDisk = async () => {
  const stats = await statfs('/')
  const [total, free] = [stats.blocks * stats.bsize, stats.bavail * stats.bsize]
  const used = total - stats.bfree * stats.bsize
  const inodesUsed = stats.files - stats.ffree
  return {
    path: '/',
    total,
    free,
    used,
    usedPercent: percent(used, used + free),
    inodesTotal: stats.files,
    inodesUsed,
    inodesFree: stats.ffree,
    inodesUsedPercent: percent(inodesUsed, stats.files),
  }
}

const host = (now: number) => {
  const uptime = Math.floor(os.uptime())
  return {
    hostname: os.hostname(),
    uptime,
    bootTime: Math.floor(now / SECONDS) - uptime,
    os: os.platform(),
    platform: os.type(),
    kernelVersion: os.release(),
    kernelArch: os.machine(),
  }
}

/** `sys/host-info` and `sys/config/state/sanitized`: where the server runs, and how it was set up, secrets left out. */
export const hostRoutes = ({ facts }: SystemOptions) => [
  route({
    path: 'host-info',
    summary: 'Tell about the machine: processors, memory, the root file system',
    fields: {},
    verbs: {
      read: async (call) =>
        data({
          timestamp: timeText(call.now),
          cpu: cpus(),
          cpu_times: cpuTimes(),
          disk: [await rootDisk()],
          host: host(call.now),
          memory: memory(),
        }),
    },
  }),
  route({
    path: 'config/state/sanitized',
    summary: 'Tell what of the configuration is no secret',
    fields: {},
    verbs: {
      read: () =>
        data({
          api_addr: facts.apiAddress,
          default_lease_ttl: facts.defaultLeaseTtlSeconds,
          max_lease_ttl: facts.maxLeaseTtlSeconds,
          introspection_endpoint: facts.introspectionEndpoint,
          unsafe_allow_api_audit_creation: facts.allowApiAuditCreation,
          storage: { type: facts.storageType },
          seals: [{ type: 'shamir', disabled: false }],
        }),
    },
  }),
]
