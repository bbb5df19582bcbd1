import type { RunningServer, ServerAddress } from '../config/running-server.ts'
import { urlOf } from '../config/running-server.ts'
import type { ServerConfig } from '../config/server-config.ts'

/** How clients reach the server. */
export const apiAddress = (config: ServerConfig, running: RunningServer): string =>
  config.apiAddress ?? running.addresses.map(urlOf)[0] ?? ''

const listenerLine = ({ address, port, tls }: ServerAddress): string =>
  address.startsWith('/')
    ? `unix (addr: ${JSON.stringify(address)}, tls: "disabled")`
    : `tcp (addr: ${JSON.stringify(`${address.includes(':') ? `[${address}]` : address}:${port}`)}, tls: "${tls ? 'enabled' : 'disabled'}")`

/** What a server says of itself when it has started (spec/cli.md 9). */
export const serverBanner = (
  config: ServerConfig,
  running: RunningServer,
  version: string,
): string => {
  const { storage } = config
  const lines: [string, string][] = [
    ['Api Address', apiAddress(config, running)],
    ...running.addresses.map((address, at): [string, string] => [
      `Listener ${at + 1}`,
      listenerLine(address),
    ]),
    ['Log Level', config.logLevel],
    ['Storage', storage.kind === 'lmdb' ? `${storage.kind} (${storage.path})` : storage.kind],
    ['Version', `Signet v${version} (Node ${process.versions.node})`],
  ]
  return [
    '==> Signet server configuration:',
    '',
    ...lines.map(([label, value]) => `${label.padStart(24)}: ${value}`),
    '',
    '==> Signet server started! Log data will stream in below:',
    '',
    '',
  ].join('\n')
}

/** What development mode adds: what is true of it, and what to type next. */
export const devBanner = (config: ServerConfig, running: RunningServer): string =>
  [
    'WARNING! dev mode is enabled! Everything is kept in memory and lost when the server stops.',
    'It is initialised and unsealed with one key share, and this machine reaches it without TLS.',
    '',
    'You may need to set the following environment variables:',
    '',
    `    $ export VAULT_ADDR='${apiAddress(config, running)}'`,
    '',
    'The unseal key and root token, should you want to seal and unseal it or log in again:',
    '',
    `Unseal Key: ${running.unsealKey ?? ''}`,
    `Root Token: ${running.rootToken ?? ''}`,
    '',
    'Development mode should NOT be used in production installations!',
    '',
  ].join('\n')

/** What the banner of `npm start` tells. */
export type StartFacts = {
  readonly version: string
  /** `Node 26.10.0 from this checkout` */
  readonly runtime: string
  readonly address: string
  /** Why it is not the usual port; '' when it is. */
  readonly addressNote: string
  /** As they are shown: relative to where the command was given. */
  readonly dataFolder: string
  readonly auditLog: string
  readonly unsealKey: string
  readonly rootToken: string
  readonly seconds: number
  readonly entities: string
}

const LABEL_WIDTH = 20
const VALUE_WIDTH = 27

/** The banner of `npm start` (product.md 1.4). */
export const startBanner = (facts: StartFacts): string => {
  const row = (label: string, value: string, note = ''): string => {
    const shown = note === '' ? value : `${value.padEnd(VALUE_WIDTH)}${note}`
    return `${label.padStart(LABEL_WIDTH)}: ${shown}`
  }
  return [
    `Signet ${facts.version}, development server (${facts.runtime})`,
    '',
    row('API', facts.address, facts.addressNote),
    row('Data', facts.dataFolder, 'kept between starts; start over: npm start -- --reset'),
    row('Audit', facts.auditLog),
    row('Unseal Key', facts.unsealKey),
    row('Root Token', facts.rootToken),
    '',
    'In another terminal, for vault, bao, Terraform and signet alike:',
    '',
    `    export VAULT_ADDR='${facts.address}' VAULT_TOKEN='${facts.rootToken}'`,
    '    bin/signet demo',
    '',
    'This machine only, no TLS, and the unseal key lies beside the data: ' +
      'Development mode should NOT be used in production installations!',
    `Ready in ${facts.seconds.toFixed(2)} s, ${facts.entities}. ` +
      'Log follows; Ctrl-C stops, nothing acknowledged is lost.',
    '',
  ].join('\n')
}
