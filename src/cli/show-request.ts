import type { ApiClient, ApiRequest } from '../client/api-client.ts'
import { literalText } from '../client/literal-json.ts'
import type { FlagValues } from './flags.ts'

/** Thrown in a request's place: the text that `-output-curl-string` or `-output-policy` asks for. */
export class ShownInstead extends Error {}

/** What sees each request for `-output-…`; undefined when neither flag is set. */
export const showing = (
  flags: FlagValues,
): ((client: ApiClient, request: ApiRequest) => void) | undefined => {
  if (flags.boolean('output-curl-string')) {
    return (client, request) => {
      throw new ShownInstead(curlText(flags, client, request))
    }
  }
  if (flags.boolean('output-policy')) {
    return (_client, request) => {
      throw new ShownInstead(policyText(request))
    }
  }
  return undefined
}

/** A text between single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`

/** A text between double quotes of a shell. */
const doubleQuoted = (text: string): string => `"${text.replaceAll(/["$\\`]/g, '\\$&')}"`

/** The request as a curl command; the token is asked for when it runs, never shown. */
export const curlText = (flags: FlagValues, client: ApiClient, request: ApiRequest): string => {
  const { options } = client
  const file = (option: string, flag: string): string[] => {
    const path = flags.text(flag) ?? ''
    return path === '' ? [] : [`${option} ${quoted(path)}`]
  }
  const header = (text: string): string => `-H ${doubleQuoted(text)}`
  const words = [
    'curl',
    ...(options.tls.skipVerify === true ? ['--insecure'] : []),
    ...(request.method === 'GET' ? [] : [`-X ${request.method}`]),
    ...file('--cacert', 'ca-cert'),
    ...file('--capath', 'ca-path'),
    ...file('--cert', 'client-cert'),
    ...file('--key', 'client-key'),
    header('X-Vault-Request: true'),
    ...(options.token === '' ? [] : ['-H "X-Vault-Token: $(signet print token)"']),
    ...(options.namespace === undefined ? [] : [header(`X-Vault-Namespace: ${options.namespace}`)]),
    ...(options.wrapTtl === undefined ? [] : [header(`X-Vault-Wrap-TTL: ${options.wrapTtl}`)]),
    ...(request.contentType === undefined ? [] : [header(`Content-Type: ${request.contentType}`)]),
    ...Object.entries(options.headers ?? {}).flatMap(([name, values]) =>
      values.map((value) => header(`${name}: ${value}`)),
    ),
    ...(request.body === undefined ? [] : [`-d ${quoted(literalText(request.body))}`]),
    doubleQuoted(client.url(request)),
  ]
  return words.join(' ')
}

/** Paths that need sudo, at their default mounts; `+` is one segment, a final `*` anything. */
const sudoPaths: readonly string[] = [
  'auth/token/accessors',
  'auth/token/revoke-orphan',
  'sys/audit',
  'sys/audit/*',
  'sys/auth/+',
  'sys/auth/+/tune',
  'sys/config/auditing/request-headers',
  'sys/config/auditing/request-headers/*',
  'sys/config/cors',
  'sys/config/ui/headers',
  'sys/config/ui/headers/*',
  'sys/internal/inspect/router/*',
  'sys/leases/lookup/*',
  'sys/leases/revoke-force/*',
  'sys/leases/revoke-prefix/*',
  'sys/plugins/catalog/*',
  'sys/raw',
  'sys/raw/*',
  'sys/remount',
  'sys/revoke-force/*',
  'sys/revoke-prefix/*',
  'sys/rotate',
  'sys/seal',
  'sys/step-down',
]

const needsSudo = (path: string): boolean => {
  const segments = path.replace(/\/+$/, '').split('/')
  return sudoPaths.some((pattern) => {
    const wanted = pattern.split('/')
    const rest = wanted.at(-1) === '*'
    if (rest ? segments.length < wanted.length : segments.length !== wanted.length) return false
    return wanted.every((word, at) => word === '*' || word === '+' || word === segments[at])
  })
}

const capabilitiesOf = (request: ApiRequest): readonly string[] => {
  if (request.query?.['list'] === 'true') return ['list']
  if (request.query?.['scan'] === 'true') return ['scan']
  switch (request.method) {
    case 'GET':
      return ['read']
    case 'PATCH':
      return ['patch']
    case 'DELETE':
      return ['delete']
    default:
      return ['create', 'update']
  }
}

/** The policy that the request needs. */
export const policyText = (request: ApiRequest): string => {
  const capabilities = [...capabilitiesOf(request), ...(needsSudo(request.path) ? ['sudo'] : [])]
  const list = capabilities.map((name) => JSON.stringify(name)).join(', ')
  return `path ${JSON.stringify(request.path)} {\n  capabilities = [${list}]\n}`
}
