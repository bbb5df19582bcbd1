import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { goLower } from '../../std/go-lower.ts'
import { mountPath } from './mount-path.ts'
import type { SystemOptions } from './options.ts'

const path = field.string({ default: '', description: 'The audit device' })
const header = field.string({ default: '', description: 'Name of the header' })

/** `sys/audit`, `sys/audit-hash` and the audited request headers. */
export const auditRoutes = ({ audit, facts }: SystemOptions) => [
  route({
    path: 'audit',
    summary: 'List the audit devices; needs sudo',
    fields: {},
    sudo: true,
    copyDataToTop: true,
    verbs: {
      read: async () =>
        data(Object.fromEntries((await audit().list()).map((device) => [device.path, device]))),
    },
  }),
  route({
    path: 'audit/*path',
    summary: 'Enable or disable an audit device; needs sudo',
    fields: {
      path,
      type: field.string({ default: '', description: '`file`, `socket`, `http` …' }),
      description: field.string({ default: '', description: 'For people' }),
      options: field.keyValues({ default: {}, description: 'Options of the type' }),
      local: field.bool({ default: false, description: 'Kept and shown' }),
    },
    sudo: true,
    copyDataToTop: true,
    verbs: {
      update: async (call) => {
        if (!facts.allowApiAuditCreation) {
          throw invalid(
            'cannot enable audit device via API; use declarative, config-based audit device management instead',
          )
        }
        const { type, description, options, local } = call.input
        const device = { type, description, local, options, path: mountPath(call.input.path) }
        await audit().enable(call, device)
        return undefined
      },
      delete: async (call) => {
        await audit().disable(call, mountPath(call.input.path))
        return undefined
      },
    },
  }),
  route({
    path: 'audit-hash/*path',
    summary: 'Hash a text as an audit device does',
    fields: { path, input: field.string({ default: '', description: 'The text' }) },
    copyDataToTop: true,
    verbs: {
      update: async (call) => {
        const { input } = call.input
        if (input === '') throw invalid('the "input" parameter is empty')
        const device = mountPath(call.input.path)
        const hash = await audit().hash(device, input)
        if (hash === undefined) throw invalid(`unknown audit backend "${device}"`)
        return data({ hash })
      },
    },
  }),
  route({
    path: 'config/auditing/request-headers',
    summary: 'List the request headers that audit devices write; needs sudo',
    fields: {},
    sudo: true,
    copyDataToTop: true,
    verbs: {
      read: async () => data({ headers: Object.fromEntries(await audit().headers()) }),
    },
  }),
  route({
    path: 'config/auditing/request-headers/+header',
    summary: 'Choose a request header that audit devices write; needs sudo',
    fields: {
      header,
      hmac: field.bool({ default: false, description: 'Write its hash, not its value' }),
    },
    sudo: true,
    copyDataToTop: true,
    verbs: {
      read: async (call) => {
        const found = (await audit().headers()).get(goLower(call.input.header))
        if (found === undefined) throw invalid('Could not find header in config')
        return data({ [call.input.header]: found })
      },
      update: async (call) => {
        await audit().setHeader(call, goLower(call.input.header), call.input.hmac)
        return undefined
      },
      delete: async (call) => {
        await audit().removeHeader(call, goLower(call.input.header))
        return undefined
      },
    },
  }),
]
