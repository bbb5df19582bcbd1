import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data, listOf } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import { compareBytes } from '../../std/json.ts'
import type { SystemOptions } from './options.ts'
import { changeSettings, readSettings } from './settings.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t\x20-\x7e]*$/
/** What the framing of an answer and the listener themselves say. */
const OWN = new Set(['Connection', 'Content-Length', 'Content-Type', 'Date', 'Transfer-Encoding'])

const name = field.string({ default: '', description: 'The header' })

/** The name as it goes out: `x-frame-options` is `X-Frame-Options`. */
const canonical = (given: string): string =>
  given.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())

type Named = Pick<Call<{ readonly header: string }>, 'records' | 'namespace' | 'input'>

const valuesOf = async (call: Named): Promise<readonly string[] | undefined> =>
  new Map((await readSettings(call)).uiHeaders).get(canonical(call.input.header))

const checked = (header: string, values: readonly string[]): void => {
  if (header === '' || values.length === 0) throw invalid('header and values must be specified')
  if (header.startsWith('X-Vault-')) throw invalid('X-Vault headers cannot be set')
  if (!TOKEN.test(header) || values.some((value) => !VALUE.test(value))) {
    throw invalid('the header or one of its values cannot be sent')
  }
  if (OWN.has(header)) throw invalid(`the server itself says what ${header} is`)
  if (header.length + values.join(', ').length > limits.uiHeaderBytes) {
    throw invalid(`a header has at most ${limits.uiHeaderBytes} bytes with its values`)
  }
}

const CSP_WARNING =
  'overriding default Content-Security-Policy which is secure by default, proceed with caution'

/** `sys/config/ui/headers`: what the pages below `/ui/` say besides. */
export const uiHeaderRoutes = ({ settings }: SystemOptions) => [
  route({
    path: 'config/ui/headers',
    summary: 'List the headers that are set for pages; needs sudo',
    fields: {},
    sudo: true,
    verbs: {
      list: async (call) => {
        const headers = (await readSettings(call)).uiHeaders ?? []
        return listOf(headers.map(([header]) => header).sort(compareBytes))
      },
    },
  }),
  route({
    path: 'config/ui/headers/+header',
    summary: 'Read, set or remove a header of pages; needs sudo',
    fields: {
      header: name,
      values: field.stringList({ default: [], description: 'Its values' }),
      multivalue: field.bool({ default: false, description: 'Show all values' }),
    },
    sudo: true,
    verbs: {
      read: async (call) => {
        const values = await valuesOf(call)
        if (values === undefined) return undefined
        return data(call.input.multivalue ? { values } : { value: values[0]! })
      },
      update: async (call) => {
        const header = canonical(call.input.header)
        const { values } = call.input
        checked(header, values)
        await changeSettings(call, (present) => {
          const headers = new Map(present.uiHeaders).set(header, values)
          if (headers.size > limits.uiHeaders)
            throw invalid(`at most ${limits.uiHeaders} headers can be set`)
          return { ...present, uiHeaders: [...headers] }
        })
        await settings.follow()
        if (header === 'Content-Security-Policy') call.warn(CSP_WARNING)
        return data(null)
      },
      delete: async (call) => {
        const header = canonical(call.input.header)
        await changeSettings(call, ({ uiHeaders, ...others }) => {
          const headers = new Map(uiHeaders)
          if (!headers.delete(header)) return undefined
          return headers.size === 0 ? others : { ...others, uiHeaders: [...headers] }
        })
        await settings.follow()
        return undefined
      },
    },
  }),
]
