import type { Flag, FlagValues } from './flags.ts'
import { localFailure } from './failure.ts'

/** The flags that every command takes (spec/cli.md 1). */
export const globalFlags: readonly Flag[] = [
  { name: 'address', kind: 'text', env: 'ADDR', help: 'Address of the server.' },
  { name: 'agent-address', kind: 'text', env: 'AGENT_ADDR', help: 'Overrides the address.' },
  {
    name: 'ca-cert',
    kind: 'text',
    env: 'CACERT',
    help: 'PEM file with the CA (wins over -ca-path).',
  },
  { name: 'ca-path', kind: 'text', env: 'CAPATH', help: 'Directory of PEM files with CAs.' },
  {
    name: 'client-cert',
    kind: 'text',
    env: 'CLIENT_CERT',
    help: 'PEM file: the client certificate.',
  },
  {
    name: 'client-key',
    kind: 'text',
    env: 'CLIENT_KEY',
    help: 'PEM file: the key to -client-cert.',
  },
  { name: 'tls-server-name', kind: 'text', env: 'TLS_SERVER_NAME', help: 'Name to expect (SNI).' },
  {
    name: 'tls-skip-verify',
    kind: 'boolean',
    env: 'SKIP_VERIFY',
    help: 'Do not verify the server.',
  },
  { name: 'namespace', kind: 'text', env: 'NAMESPACE', help: 'Namespace of the request.' },
  { name: 'ns', kind: 'text', help: 'Short for -namespace, and wins over it.' },
  { name: 'wrap-ttl', kind: 'duration', env: 'WRAP_TTL', help: 'Wrap the answer for this long.' },
  { name: 'mfa', kind: 'list', env: 'MFA', help: 'Credentials of a second factor; repeatable.' },
  { name: 'header', kind: 'map', help: 'A further header; repeatable.' },
  { name: 'format', kind: 'text', env: 'FORMAT', help: 'table (default), json, yaml or raw.' },
  { name: 'field', kind: 'text', help: 'Print only this field.' },
  { name: 'detailed', kind: 'boolean', env: 'DETAILED', help: 'Further columns of lists.' },
  { name: 'output-curl-string', kind: 'boolean', help: 'Print the request as a curl command.' },
  { name: 'output-policy', kind: 'boolean', help: 'Print the policy that the request needs.' },
  { name: 'disable-redirects', kind: 'boolean', env: 'DISABLE_REDIRECTS', help: 'Follow no 307.' },
  { name: 'policy-override', kind: 'boolean', help: 'Override a soft-mandatory policy.' },
  { name: 'unlock-key', kind: 'text', help: 'Key of a locked namespace.' },
  { name: 'non-interactive', kind: 'boolean', help: 'Never prompt; standard input is empty.' },
]

/** How results are printed. */
export type Format = 'table' | 'json' | 'yaml' | 'raw' | 'pretty'

const formats: ReadonlyMap<string, Format> = new Map([
  ['table', 'table'],
  ['json', 'json'],
  ['yaml', 'yaml'],
  ['yml', 'yaml'],
  ['raw', 'raw'],
  ['pretty', 'pretty'],
])

/** The output format; throws a local failure for an unknown one. */
export function formatOf(flags: FlagValues): Format {
  const written = flags.text('format') ?? ''
  const format = formats.get((written === '' ? 'table' : written).toLowerCase())
  if (format === undefined) throw localFailure(`Invalid output format: ${written}`)
  return format
}
