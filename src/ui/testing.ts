import { randomUUID } from 'node:crypto'
import { devConfig } from '../config/dev-config.ts'
import type { ServerConfig } from '../config/server-config.ts'
import type { Reply } from '../core/reply.ts'
import type { HttpAnswer } from '../http/request.ts'
import { startDevelopment } from '../process/development.ts'
import type { Serving } from '../process/serving.ts'
import { makeLocalServing } from '../process/local-serving.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Json } from '../std/json.ts'

/** Where the pages of a test are. */
export const HOST = 'localhost:8200'

/** A page as a browser got it. */
export interface Shown {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** '' for none. */
  readonly location: string
}

/** What a test changes about one request of a browser. */
export interface Sending {
  readonly headers?: Readonly<Record<string, string>>
  readonly from?: string
}

/** A browser as far as forms and cookies go, without JavaScript. */
export class Browser {
  readonly cookies = new Map<string, string>()
  /** Every Set-Cookie that came. */
  readonly set: string[] = []
  readonly #pages: Serving['pages']

  constructor(pages: Serving['pages']) {
    this.#pages = pages
  }

  get(path: string, sending: Sending = {}): Promise<Shown> {
    return this.#send('GET', path, undefined, sending)
  }

  post(
    path: string,
    form: Readonly<Record<string, string>>,
    sending: Sending = {},
  ): Promise<Shown> {
    return this.#send('POST', path, new URLSearchParams(form).toString(), sending)
  }

  /** Fills the form of a page in that leads to `action`, and sends it. */
  submit(
    shown: Shown,
    action: string,
    fields: Readonly<Record<string, string>>,
    sending: Sending = {},
  ): Promise<Shown> {
    return this.post(action, { ...hiddenFields(shown, action), ...fields }, sending)
  }

  async #send(
    method: string,
    target: string,
    body: string | undefined,
    { headers = {}, from = '127.0.0.1' }: Sending,
  ): Promise<Shown> {
    const [path = '', query = ''] = target.split(/\?(.*)/s)
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer: HttpAnswer = await this.#pages({
      method,
      path,
      query,
      headers: {
        host: HOST,
        ...(cookie === '' ? {} : { cookie }),
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/x-www-form-urlencoded',
              origin: `http://${HOST}`,
            }),
        ...headers,
      },
      body: Buffer.from(body ?? ''),
      remoteAddress: from,
      remotePort: 1,
      tls: false,
    })
    const sent = answer.headers ?? {}
    const made = sent['Set-Cookie']
    if (made !== undefined) {
      this.set.push(made)
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(made) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return {
      status: answer.status,
      body: String(answer.body ?? ''),
      headers: sent,
      location: sent['Location'] ?? '',
    }
  }
}

const UNESCAPED: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

const unescape = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => UNESCAPED[entity] as string)

/** The hidden fields of the form that leads to `action`. */
export const hiddenFields = (shown: Shown, action: string): Record<string, string> => {
  const [, form = ''] =
    new RegExp(`<form method="post" action="${action}">(.*?)</form>`, 's').exec(shown.body) ?? []
  if (form === '') throw new Error(`no form leads to ${action}: ${shown.status} ${shown.body}`)
  const inputs = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)" \/>/g)]
  return Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, unescape(value)]))
}

/** An unsealed server without a port, over memory, with a clock that tests move. */
export interface UiServer {
  /** A browser that has never been here; on the given process of the server (0 or 1). */
  browser(process?: number): Browser
  /** The same cookies, asked of the other process. */
  elsewhere(browser: Browser): Browser
  ask(
    operation: 'read' | 'update' | 'delete',
    path: string,
    data?: Readonly<Record<string, Json>>,
    token?: string,
  ): Promise<Reply>
  write(path: string, data?: Readonly<Record<string, Json>>, token?: string): Promise<any>
  read(path: string, token?: string): Promise<any>
  /** ms. */
  forward(ms: number): Promise<void>
  seal(): Promise<void>
  stop(): Promise<void>
}

const dataOf = (reply: Reply): unknown => {
  if (reply.kind === 'success') return reply.auth ?? reply.data
  if (reply.kind === 'raw') return JSON.parse(reply.body)
  if (reply.kind === 'error') throw new Error(`${reply.status} ${reply.errors.join()}`)
  return undefined
}

/** Starts two processes over one store, root token `root`, with userpass and the user alice (password `pw`). */
export const startUi = async (
  configure: (config: ServerConfig) => ServerConfig = (config) => config,
): Promise<UiServer> => {
  let ahead = 0
  const store = createMemoryStore({ clock: () => Date.now() + ahead })
  const config = configure({
    ...devConfig({ listenAddress: HOST, rootTokenId: 'root', dataFolder: undefined }),
    apiAddress: `http://${HOST}`,
  })
  const servings = [0, 1].map((): Serving => {
    const log = (message: string, error?: unknown): void => console.error(message, error)
    return makeLocalServing({ config, store, waitMs: 1_000, log })
  })
  const [one, two] = servings as [Serving, Serving]
  const keys = await startDevelopment(config.dev!, one.lifecycle)
  await two.lifecycle.giveShare(Buffer.from(keys.unsealKey, 'base64'))
  const homes = new WeakMap<Browser, number>()
  const browser = (process = 0): Browser => {
    const made = new Browser(servings[process]!.pages)
    homes.set(made, process)
    return made
  }
  const ask: UiServer['ask'] = (operation, path, data, token = 'root') =>
    one.front.handle({
      requestId: randomUUID(),
      operation,
      path,
      token,
      data,
      headers: {},
      wrapTtlSeconds: undefined,
      namespace: '',
      remoteAddress: '127.0.0.1',
      remotePort: 1,
    })
  const server: UiServer = {
    browser,
    elsewhere: (present) => {
      const other = browser(1 - (homes.get(present) ?? 0))
      for (const [name, value] of present.cookies) other.cookies.set(name, value)
      return other
    },
    ask,
    write: async (path, data = {}, token) => dataOf(await ask('update', path, data, token)),
    read: async (path, token) => dataOf(await ask('read', path, undefined, token)),
    forward: async (ms) => {
      ahead += ms
      for (const { front } of servings) {
        await front.handle({
          requestId: randomUUID(),
          operation: 'read',
          path: 'auth/token/lookup-self',
          token: 'unknown',
          data: undefined,
          headers: {},
          wrapTtlSeconds: undefined,
          namespace: '',
          remoteAddress: '127.0.0.1',
          remotePort: 1,
        })
      }
    },
    seal: async () => {
      await server.write('sys/seal')
    },
    stop: async () => {
      for (const { lifecycle } of servings) await lifecycle.close()
      await store.close()
    },
  }
  await server.write('sys/auth/userpass', { type: 'userpass' })
  await server.write('auth/userpass/users/alice', { password: 'pw' })
  return server
}

/** Where the client of `makeClient` is. */
export const CALLBACK = 'https://app.example/cb'

/** Makes an OIDC client that everybody may sign in to; gives its client id and secret. */
export const makeClient = async (
  server: UiServer,
  name = 'app',
  settings: Readonly<Record<string, Json>> = {},
): Promise<{ readonly client_id: string; readonly client_secret: string }> => {
  await server.write(`identity/oidc/client/${name}`, {
    redirect_uris: [CALLBACK],
    assignments: ['allow_all'],
    ...settings,
  })
  return server.read(`identity/oidc/client/${name}`)
}

/** The path of an authorization request. */
export const authorizePath = (
  clientId: string,
  more: Readonly<Record<string, string>> = {},
): string => {
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    state: 'st',
    nonce: 'n',
    ...more,
  })
  return `/ui/vault/identity/oidc/provider/default/authorize?${query.toString()}`
}
