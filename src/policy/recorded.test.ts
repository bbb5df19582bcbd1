import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Json, JsonObject } from '../std/json.ts'
import { parseJson, stringifyJson } from '../std/json.ts'
import type { Acl, AclRequest } from './acl.ts'
import { compileAcl, rootAcl } from './acl.ts'
import { defaultPolicy } from './builtin.ts'
import { parsePolicy } from './parse-policy.ts'
import { PolicyError } from './policy-error.ts'

/*
 * What the reference answered (host/policy), asked of the parser and the ACL alone: texts of refused policies, who may
 * do what, capabilities, resultant ACLs.
 */

interface Step {
  readonly as?: string
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  readonly save?: Readonly<Record<string, string>>
  readonly answer: { readonly status: number; readonly body: JsonObject }
}

const FOLDERS = ['../../test/conformance/cases/', '../../../shared/conformance/cases/'].map(
  (path) => new URL(path, import.meta.url),
)
const cases = FOLDERS.find((folder) => existsSync(folder))

const stepsOf = (name: string): readonly Step[] => {
  const text = readFileSync(new URL(`host/policy/${name}`, cases))
  return (parseJson(text) as unknown as { readonly steps: readonly Step[] }).steps
}

const POLICY_PATH = /^sys\/polic(?:y|ies\/acl)\/(.+)$/
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/

/** The policy that a step writes; texts that decode as base64 are decoded (spec/auth.md 3.1). */
const written = ({
  method,
  path,
  body,
}: Step): { name: string; text: Uint8Array | string } | undefined => {
  const name = POLICY_PATH.exec(path)?.[1]
  const text = body?.['policy']
  if (name === undefined || typeof text !== 'string' || text === '' || method === 'GET')
    return undefined
  return { name, text: BASE64.test(text) ? Buffer.from(text, 'base64') : text }
}

const verdict = (text: string | Uint8Array): string => {
  try {
    parsePolicy(text)
    return ''
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return `failed to parse policy: ${error.message}`
  }
}

const skip = cases === undefined ? 'the recordings are not here' : false

test('every recorded policy text is accepted or refused in the recorded words', { skip }, () => {
  let refused = 0
  for (const file of readdirSync(new URL('host/policy/', cases))) {
    stepsOf(file).forEach((step, i) => {
      const policy = written(step)
      const errors = (step.answer.body['errors'] ?? []) as readonly string[]
      const wanted = errors[0] ?? ''
      if (policy === undefined || (wanted !== '' && !wanted.startsWith('failed to parse'))) return
      if (wanted !== '') refused++
      assert.equal(verdict(policy.text), wanted, `${file}, step ${i + 1}`)
    })
  }
  assert.ok(refused > 30)
})

/** Paths that need sudo among those that the recordings ask for (spec/auth.md 3.11). */
const SUDO =
  /^(auth\/token\/accessors|sys\/(audit$|raw\/|rotate$|config\/(cors$|auditing\/)|plugins\/catalog\/|remount$|leases\/(lookup|revoke-prefix|revoke-force)\/|internal\/inspect\/))/
/** Paths whose writes are a create when there is nothing yet. */
const CREATES = /^(kv|secret\/data|cubbyhole)\//
/** Judged by their own rules, or with no rule at all. */
const OTHERS = /^sys\/internal\/ui\/mounts/

const VERBS: Readonly<Record<string, AclRequest['verb']>> = {
  GET: 'read',
  LIST: 'list',
  SCAN: 'scan',
  DELETE: 'delete',
  PATCH: 'patch',
}

class Replay {
  readonly #file: string
  readonly #policies = new Map([['default', defaultPolicy]])
  readonly #tokens = new Map<string, readonly string[]>()
  readonly #present = new Set<string>()
  judged = 0

  constructor(file: string) {
    this.#file = file
  }

  run(): void {
    stepsOf(this.#file).forEach((step, i) => this.#step(step, `${this.#file}, step ${i + 1}`))
  }

  #acl(token: string): Acl {
    const names = this.#tokens.get(token.replace(/^\$\{(.*)\}$/, '$1').replace(/_acc$/, ''))
    if (names === undefined) return rootAcl
    const inputs = names.flatMap((name) => {
      const text = this.#policies.get(name)
      if (text === undefined) return []
      return [{ name, policy: parsePolicy(text), allowSlashes: false, allowWildcards: false }]
    })
    return compileAcl(inputs, { now: 0 })
  }

  #step(step: Step, where: string): void {
    const policy = written(step)
    const { as = 'root', path, body, save, answer } = step
    if (policy !== undefined) this.#policies.set(policy.name, String(policy.text))
    if (path === 'auth/token/create' && answer.status === 200) {
      const auth = answer.body['auth'] as JsonObject
      this.#tokens.set(Object.keys(save!)[0]!, auth['policies'] as readonly string[])
      return
    }
    const data = answer.body === undefined ? undefined : (answer.body['data'] as JsonObject)
    if (path.startsWith('sys/capabilities') && answer.status === 200)
      this.#capabilities(step, data!, where)
    if (path === 'sys/internal/ui/resultant-acl' && answer.status === 200) {
      const shown = this.#acl(as).resultant() as unknown as Json
      assert.equal(stringifyJson(shown), stringifyJson(data!), where)
    }
    if (as !== 'root' && !OTHERS.test(path)) this.#decide(step, as, where)
    if (answer.status < 300 && CREATES.test(path) && body !== undefined) this.#present.add(path)
  }

  #capabilities({ as = 'root', body }: Step, data: JsonObject, where: string): void {
    const of = body?.['token'] ?? body?.['accessor'] ?? as
    const acl = this.#acl(of as string)
    for (const [path, words] of Object.entries(data)) {
      if (path === 'capabilities' && Object.keys(data).length === 2) continue
      assert.deepEqual(acl.capabilities(path), words, `${where}: ${path}`)
      this.judged++
    }
  }

  #decide({ method, path: target, headers, body, answer }: Step, as: string, where: string): void {
    const [path = '', query = ''] = target.split('?')
    const verb =
      VERBS[method] ?? (CREATES.test(path) && !this.#present.has(path) ? 'create' : 'update')
    const listing = verb === 'list' || verb === 'scan'
    const ttl = headers?.['X-Vault-Wrap-TTL']
    const decision = this.#acl(as).decide({
      verb,
      path: listing && !path.endsWith('/') ? `${path}/` : path,
      data: body ?? Object.fromEntries(new URLSearchParams(query)),
      wrapTtlSeconds: ttl === undefined ? undefined : ttl === '1h' ? 3600 : Number(ttl),
      sudoPath: SUDO.test(path),
    })
    assert.equal(decision.allowed, answer.status !== 403, `${where}: ${decision.reason}`)
    this.judged++
  }
}

test('requests, capabilities and resultant ACLs are decided as recorded', { skip }, () => {
  let judged = 0
  for (const name of [
    'capabilities-by-method',
    'capabilities-paths',
    'default-policy',
    'list-filter-paging',
    'parameters',
    'path-priority',
    'sudo-paths',
    'wrapping-ttls',
  ]) {
    const replay = new Replay(`${name}.json`)
    replay.run()
    judged += replay.judged
  }
  assert.ok(judged > 200, String(judged))
})
