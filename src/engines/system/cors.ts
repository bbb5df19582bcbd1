import { field } from '../../engine/field.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import type { SystemOptions } from './options.ts'
import type { CorsSettings } from './settings.ts'
import { changeSettings, readSettings } from './settings.ts'

/** Headers that pages of allowed origins may always send. */
export const USUAL_CORS_HEADERS = [
  'Content-Type',
  'Authorization',
  'X-Vault-Token',
  'X-Vault-MFA',
  'X-Vault-No-Request-Forwarding',
  'X-Vault-Wrap-Format',
  'X-Vault-Wrap-TTL',
  'X-Requested-With',
  'X-Vault-AWS-IAM-Server-ID',
  'X-Vault-Policy-Override',
] as const

const VALUE = /^[\x21-\x7e]+$/

const checked = (settings: CorsSettings): CorsSettings => {
  const { origins, headers } = settings
  for (const list of [origins, headers]) {
    if (list.length > limits.corsEntries) {
      throw invalid(`at most ${limits.corsEntries} origins and as many headers can be allowed`)
    }
    const odd = list.find((text) => text.length > limits.corsEntryBytes || !VALUE.test(text))
    if (odd !== undefined) {
      throw invalid(`an origin or header has 1 to ${limits.corsEntryBytes} printable characters`)
    }
  }
  if (origins.length === 0) throw failed('at least one origin or the wildcard must be provided')
  if (origins.length > 1 && origins.includes('*')) {
    throw failed("to allow all origins the '*' must be the only value for allowed_origins")
  }
  return settings
}

/** `sys/config/cors`: pages of which origins may ask this server. */
export const corsRoute = ({ settings }: SystemOptions) =>
  route({
    path: 'config/cors',
    summary: 'Read, set or end what pages of other origins may do; needs sudo',
    fields: {
      allowed_origins: field.commaList({ default: [], description: 'Origins, or `*` alone' }),
      allowed_headers: field.commaList({ default: [], description: 'Beside the usual ones' }),
      allow_credentials: field.bool({ default: false, description: 'Whether cookies may be sent' }),
      enabled: field.any({ description: 'Not used: setting origins enables it' }),
    },
    sudo: true,
    copyDataToTop: true,
    verbs: {
      read: async (call) => {
        const { cors } = await readSettings(call)
        if (cors === undefined) return data({ enabled: false })
        return data({
          enabled: true,
          allowed_origins: cors.origins,
          allowed_headers: [...USUAL_CORS_HEADERS, ...cors.headers],
          allow_credentials: cors.credentials,
        })
      },
      update: async (call) => {
        const { input } = call
        const cors = checked({
          origins: input.allowed_origins,
          headers: input.allowed_headers,
          credentials: input.allow_credentials,
        })
        await changeSettings(call, (present) => ({ ...present, cors }))
        await settings.follow()
        return undefined
      },
      delete: async (call) => {
        await changeSettings(call, ({ cors, ...others }) =>
          cors === undefined ? undefined : others,
        )
        await settings.follow()
        return undefined
      },
    },
  })
