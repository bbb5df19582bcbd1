import type { Measured, MeasuredValue } from './measured.ts'
import { Counter, Histogram } from './meters.ts'

/** Everything that one process measures; docs/metrics.md explains each. */
export class ProcessMeters {
  readonly requests = new Histogram(
    'signet_request_seconds',
    'Time from the parsed request to its answer, by operation and status class',
    ['operation', 'status'],
  )
  readonly logins = new Counter(
    'signet_logins_total',
    'Logins, by type of auth method and result',
    ['method', 'result'],
  )
  readonly tokensCreated = new Counter('signet_tokens_created_total', 'Service tokens stored')
  readonly tokensRevoked = new Counter(
    'signet_tokens_revoked_total',
    'Service tokens ended before or at their expiry, those below a revoked one included',
  )
  readonly commits = new Histogram(
    'signet_store_commit_seconds',
    'Time of a commit to the store, by its outcome',
    ['outcome'],
  )
  readonly reads = new Counter('signet_store_reads_total', 'Reads of the store, by kind of call', [
    'call',
  ])
  readonly auditFailures = new Counter(
    'signet_audit_failures_total',
    'Audit entries that no device took: their requests failed',
  )
  readonly cacheLookups = new Counter(
    'signet_cache_lookups_total',
    'Looks into a cache of the process, by cache and whether it had what was wanted',
    ['cache', 'result'],
  )

  measured(): readonly Measured[] {
    return [
      this.requests.measured(),
      this.logins.measured(),
      this.tokensCreated.measured(),
      this.tokensRevoked.measured(),
      this.commits.measured(),
      this.reads.measured(),
      this.auditFailures.measured(),
      this.cacheLookups.measured(),
      ...measureProcess('worker'),
    ]
  }
}

/** Memory and processor time of this process. */
export const measureProcess = (role: 'worker' | 'supervisor'): readonly Measured[] => {
  const { rss, heapUsed, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const labels = { role, pid: String(process.pid) }
  const metric = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    values: readonly MeasuredValue[],
  ): Measured => ({ name, help, type, aggregator: 'sum', values })
  return [
    metric('signet_process_resident_bytes', 'gauge', 'Resident memory, shared pages included', [
      { value: rss, labels },
    ]),
    metric('signet_process_heap_bytes', 'gauge', 'JavaScript heap in use', [
      { value: heapUsed, labels },
    ]),
    metric('signet_process_external_bytes', 'gauge', 'Memory of buffers and native objects', [
      { value: external, labels },
    ]),
    metric('signet_process_cpu_seconds_total', 'counter', 'Processor time, by role', [
      { value: (user + system) / 1_000_000, labels: { role } },
    ]),
    metric('signet_processes', 'gauge', 'Processes of this server', [
      { value: 1, labels: { role } },
    ]),
  ]
}
