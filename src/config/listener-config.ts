import type { ConfigBlock } from './config-block.ts'
import type {
  ForwardedFor,
  ListenerConfig,
  ListenerCors,
  ListenerLimits,
  ListenerTls,
  ResponseHeaders,
  TlsVersion,
} from './server-config.ts'

const versions: ReadonlyMap<string, TlsVersion> = new Map([
  ['tls10', 'TLSv1'],
  ['tls11', 'TLSv1.1'],
  ['tls12', 'TLSv1.2'],
  ['tls13', 'TLSv1.3'],
])

/** A `listener` block of a type; throws a ConfigError for what cannot be listened to. */
export const parseListener = (type: string, block: ConfigBlock): ListenerConfig => {
  const common = {
    limits: limitsOf(block),
    forwardedFor: forwardedForOf(block),
    cors: corsOf(block),
    responseHeaders: responseHeadersOf(block),
    unauthenticatedMetrics: block
      .blocks('telemetry', 0)
      .some((each) => each.block.boolean('unauthenticated_metrics_access') === true),
  }
  const address = block.text('address')
  if (type === 'unix') {
    if (address === undefined || address === '')
      throw block.wrong('address: the path of the socket is missing')
    const user = block.text('socket_user')
    const group = block.text('socket_group')
    const mode = block.text('socket_mode') ?? ''
    if (!/^[0-7]{0,4}$/.test(mode)) throw block.wrong('socket_mode must be octal, like 0660')
    return {
      kind: 'unix',
      path: address,
      ...(mode === '' ? {} : { mode: Number.parseInt(mode, 8) }),
      ...(user === undefined ? {} : { user }),
      ...(group === undefined ? {} : { group }),
      ...common,
    }
  }
  if (type !== 'tcp')
    throw block.wrong(`unknown listener type ${JSON.stringify(type)}: tcp or unix`)
  return {
    kind: 'tcp',
    ...hostAndPort(address ?? '127.0.0.1:8200', block),
    tls: tlsOf(block),
    ...common,
  }
}

/** Splits `host:port`, `[::1]:port`, `:port`; throws what `block` says of others. */
export const hostAndPort = (
  address: string,
  block: Pick<ConfigBlock, 'wrong'>,
): { readonly host: string; readonly port: number } => {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(address)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535) {
    throw block.wrong(`${JSON.stringify(address)} is no address like 127.0.0.1:8200 or [::1]:8200`)
  }
  const host = parts[1] ?? parts[2] ?? ''
  // No host: every address of the machine, of both families.
  return { host: host === '' ? '::' : host, port }
}

const tlsOf = (block: ConfigBlock): ListenerTls | undefined => {
  const disabled = block.boolean('tls_disable') === true
  const certFile = block.text('tls_cert_file') ?? ''
  const keyFile = block.text('tls_key_file') ?? ''
  const ciphers = block.texts('tls_cipher_suites') ?? []
  const clientCaFile = block.text('tls_client_ca_file') ?? ''
  const tls = {
    certFile,
    keyFile,
    minVersion: versionOf(block, 'tls_min_version', 'tls12'),
    maxVersion: versionOf(block, 'tls_max_version', 'tls13'),
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.map(cipherName).join(':') }),
    ...(clientCaFile === '' ? {} : { clientCaFile }),
    requireClientCert: block.boolean('tls_require_and_verify_client_cert') === true,
    disableClientCerts: block.boolean('tls_disable_client_certs') === true,
  }
  if (disabled) return undefined
  if (certFile === '' || keyFile === '') {
    throw block.wrong(
      'tls_cert_file and tls_key_file are missing; plain HTTP needs tls_disable = true',
    )
  }
  if (tls.requireClientCert && tls.disableClientCerts) {
    throw block.wrong(
      'tls_require_and_verify_client_cert and tls_disable_client_certs exclude each other',
    )
  }
  if (tls.minVersion > tls.maxVersion) {
    throw block.wrong("'tls_max_version' must be greater than or equal to 'tls_min_version'")
  }
  return tls
}

const versionOf = (block: ConfigBlock, name: string, usual: string): TlsVersion => {
  const written = block.text(name) ?? usual
  const version = versions.get(written === '' ? usual : written)
  if (version === undefined) {
    throw block.wrong(`${name} must be one of ${[...versions.keys()].join(', ')}`)
  }
  return version
}

// Go's names of suites are the registry's; OpenSSL's have their own form for TLS 1.2 and below.
const cipherName = (name: string): string => {
  if (!name.startsWith('TLS_') || !name.includes('_WITH_')) return name
  return name
    .slice('TLS_'.length)
    .replace(/^RSA_WITH_/, '')
    .replace('_WITH_', '_')
    .replace('AES_128_', 'AES128_')
    .replace('AES_256_', 'AES256_')
    .replace(/CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replace(/CBC_(?=SHA)/, '')
    .replaceAll('_', '-')
}

const limitsOf = (block: ConfigBlock): ListenerLimits => {
  const values: Record<keyof ListenerLimits, number | undefined> = {
    readMs: block.milliseconds('http_read_timeout'),
    readHeaderMs: block.milliseconds('http_read_header_timeout'),
    writeMs: block.milliseconds('http_write_timeout'),
    idleMs: block.milliseconds('http_idle_timeout'),
    requestBytes: block.integer('max_request_size'),
    requestMs: block.milliseconds('max_request_duration'),
    jsonMemoryBytes: block.integer('max_request_json_memory'),
    jsonStrings: block.integer('max_request_json_strings'),
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

const forwardedForOf = (block: ConfigBlock): ForwardedFor => {
  const hopSkips = block.integer('x_forwarded_for_hop_skips') ?? 0
  if (hopSkips < 0) throw block.wrong('x_forwarded_for_hop_skips cannot be negative')
  return {
    authorized: block.texts('x_forwarded_for_authorized_addrs') ?? [],
    hopSkips,
    rejectNotPresent: block.boolean('x_forwarded_for_reject_not_present') ?? true,
    rejectNotAuthorized: block.boolean('x_forwarded_for_reject_not_authorized') ?? true,
  }
}

const corsOf = (block: ConfigBlock): ListenerCors | undefined => {
  const enabled = block.boolean('cors_enabled') === true
  const cors = {
    origins: block.texts('cors_allowed_origins') ?? [],
    headers: block.texts('cors_allowed_headers') ?? [],
    credentials: block.boolean('cors_allow_credentials') === true,
  }
  return enabled ? cors : undefined
}

const responseHeadersOf = (block: ConfigBlock): ResponseHeaders => {
  const all = new Map<string, ReadonlyMap<string, readonly string[]>>()
  for (const { block: headers } of block.blocks('custom_response_headers', 0)) {
    for (const status of headers.names()) {
      if (!/^(?:default|[1-5]xx|[1-5]\d\d)$/.test(status)) {
        throw headers.wrong(`${JSON.stringify(status)} is no status like default, 2xx or 200`)
      }
      const values = new Map(all.get(status))
      for (const { block: group } of headers.blocks(status, 0)) {
        for (const name of group.names()) {
          if (name.toLowerCase().startsWith('x-vault-')) {
            throw group.wrong(`the header ${name} is for internal use`)
          }
          values.set(name, group.texts(name) ?? [])
        }
      }
      all.set(status, values)
    }
  }
  return all
}
