import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { interpret } from './interpret.ts'
import type { InterpretOptions } from './interpret.ts'
import { httpLimits } from './limits.ts'
import type { HttpAnswer, HttpRequest } from './request.ts'
import type { Target } from './target.ts'

const origin = { remoteAddress: '127.0.0.1', remotePort: 1, requestId: 'id' }

const judge = (
  method: string,
  target: string,
  headers: Record<string, string | string[]> = {},
  body: string | Uint8Array = '',
  options: Partial<InterpretOptions> = {},
): { request?: HttpRequest; answer?: HttpAnswer; page?: Target } => {
  const judged = interpret(
    {
      method,
      target: target.startsWith('/') ? target : `/v1/${target}`,
      headers: { host: 'localhost', ...headers },
      body: Buffer.from(body),
    },
    origin,
    { limits: httpLimits, ...options },
  )
  assert.ok(!(judged instanceof Promise), 'was long')
  return judged
}

/** Status and texts of a refusal. */
const refusal = (...call: Parameters<typeof judge>): unknown => {
  const { answer } = judge(...call)
  assert.ok(answer, 'was not refused')
  return typeof answer.body === 'string' && answer.contentType === 'application/json'
    ? [answer.status, ...(JSON.parse(answer.body) as { errors: string[] }).errors]
    : [answer.status, answer.body]
}

const request = (...call: Parameters<typeof judge>): HttpRequest => {
  const { request: judged, answer } = judge(...call)
  assert.ok(judged, JSON.stringify(answer))
  return judged
}

const asked = (...call: Parameters<typeof judge>): unknown => {
  const { operation, path, data } = request(...call)
  return [operation, path, data === undefined ? undefined : { ...data }]
}

describe('paths', () => {
  for (const [path, location] of [
    ['secret//data/a', '/v1/secret/data/a'],
    ['/v1//secret/data/a', '/v1/secret/data/a'],
    ['secret/data/../data/a', '/v1/secret/data/a'],
    ['secret/data/./a', '/v1/secret/data/a'],
    ['identity//entity/id?list=true', '/v1/identity/entity/id?list=true'],
    ['a/..//', '/v1/'],
    ['sys', '/v1/sys/'],
    ['/', '/ui/'],
    ['/ui', '/ui/'],
    ['/v1/../../etc', '/etc'],
    ['a//b?x=<y>&"', '/v1/a/b?x=<y>&"'],
  ] as const)
    it(`${path} is redirected`, () => {
      const { answer } = judge('GET', path)
      assert.equal(answer?.status, 307)
      assert.equal(answer.headers?.['Location'], location)
      assert.equal(answer.contentType, 'text/html; charset=utf-8')
      assert.match(String(answer.body), /^<a href="[^<>"]+">Temporary Redirect<\/a>\.\n\n$/)
      const post = judge('POST', path).answer
      assert.deepEqual([post?.status, post?.contentType, post?.body], [307, undefined, undefined])
    })

  it('outside /v1/ there is nothing', () => {
    for (const path of ['/v1', '/v2/sys/health', '/foo', '/identity/entity/id', '//v1/x', '/ui/'])
      assert.deepEqual(refusal('GET', path), [404])
  })

  it('below /ui/ are for the pages where there are some, if the host may be asked for', () => {
    const pages = { hasPages: true }
    for (const [sent, path] of [
      ['/ui/', '/ui/'],
      ['/ui/a%20b?x=1', '/ui/a b'],
      ['/ui//x/..', '/ui//x/..'],
    ] as const)
      assert.equal(judge('GET', sent, {}, '', pages).page?.path, path)
    assert.equal(judge('GET', '/ui', {}, '', pages).answer?.status, 307)
    assert.equal(judge('GET', '/ui/%00', {}, '', pages).answer?.status, 400)
    const guarded = { ...pages, hostCheck: ['localhost'] }
    assert.equal(judge('GET', '/ui/', { host: 'evil.example' }, '', guarded).answer?.status, 403)
  })

  it('that are relative once decoded are refused', () => {
    for (const path of ['a/%2e%2e/x', '%2e', '%2e./x', 'x/%2e', 'a/%2e/b', '..%2fx'])
      assert.deepEqual(refusal('GET', path), [400, 'relative paths not supported'])
    for (const path of ['a...b', '.a', 'a.', '...', 'x/..y/z'])
      assert.equal(request('GET', path).path, path)
  })

  it('that cannot be printed are refused without a body', () => {
    for (const path of ['%00', 'tab%09', '%7f', 'a%E2%80%8Bb', 'nbsp%C2%A0', '%C2%85'])
      assert.deepEqual(refusal('POST', path), [400, undefined])
  })

  it('are decoded once', () => {
    assert.equal(request('GET', 'a%2Fb%20c%25%2561').path, 'a/b c%%61')
    assert.equal(request('GET', 'caf%C3%A9+x').path, 'café+x')
    assert.equal(request('GET', 'caf\xc3\xa9').path, 'café')
    assert.equal(request('GET', '/v1/a').path, 'a')
    assert.equal(interpretAbsolute('http://host:1/v1/a?x=1'), 'a')
    for (const path of ['%', '%zz', '%4', 'a%ff', '%c3%28'])
      assert.deepEqual(refusal('GET', path), [400, '400 Bad Request'])
  })

  const interpretAbsolute = (target: string): string | undefined => {
    const judged = interpret(
      { method: 'GET', target, headers: {}, body: Buffer.alloc(0) },
      origin,
      { limits: httpLimits },
    )
    assert.ok(!(judged instanceof Promise))
    return 'request' in judged ? judged.request.path : undefined
  }

  it('cannot be written to when they end in a slash', () => {
    for (const method of ['POST', 'PUT'])
      assert.deepEqual(refusal(method, 'a/'), [400, "cannot write to a path ending in '/'"])
    assert.deepEqual(asked('DELETE', 'a/'), ['delete', 'a/', undefined])
  })
})

describe('operations', () => {
  it('follow the method', () => {
    assert.deepEqual(asked('GET', 'a?x=1'), ['read', 'a', { x: '1' }])
    assert.deepEqual(asked('LIST', 'a'), ['list', 'a/', undefined])
    assert.deepEqual(asked('SCAN', 'a/'), ['scan', 'a/', undefined])
    assert.deepEqual(asked('HEAD', 'a'), ['header', 'a', undefined])
    assert.deepEqual(asked('DELETE', 'a?v=1&v=2', {}, '{bad'), ['delete', 'a', { v: ['1', '2'] }])
    assert.deepEqual(asked('HELP', 'a//b'), ['help', 'a//b', undefined])
    assert.deepEqual(asked('POST', 'a?help=1'), ['help', 'a', undefined])
    assert.deepEqual(asked('GET', 'a?help=&x=1'), ['read', 'a', { x: '1' }])
    for (const method of ['FOO', 'get', 'TRACE', 'CONNECT'])
      assert.deepEqual(refusal(method, 'a'), [405])
    assert.deepEqual(refusal('OPTIONS', 'a'), [
      400,
      'cannot handle internal-only request operation',
    ])
  })

  it('of a GET follow list and scan', () => {
    for (const yes of ['1', 't', 'T', 'TRUE', 'true', 'True'])
      assert.deepEqual(asked('GET', `a?list=${yes}`), ['list', 'a/', undefined])
    assert.deepEqual(asked('GET', 'a?scan=true&x=1'), ['scan', 'a/', { x: '1' }])
    for (const no of ['false', '0', ''])
      assert.equal(request('GET', `a?list=${no}`).operation, 'read')
    for (const bad of ['list=yes', 'scan=2', 'list=true&scan=1', 'list=tRue'])
      assert.deepEqual(refusal('GET', `a?${bad}`), [400])
    assert.deepEqual(asked('POST', 'a?list=true', {}, '{}'), ['update', 'a', {}])
  })

  it('of a path outside the envelope are judged first', () => {
    const rawMethods = (path: string): readonly string[] | undefined =>
      path === 'sys/health' ? ['GET', 'HEAD'] : undefined
    for (const method of ['PATCH', 'OPTIONS', 'PUT', 'LIST'])
      assert.deepEqual(refusal(method, 'sys/health', {}, '{bad', { rawMethods }), [405])
    const health = request('GET', 'sys/health', { 'x-vault-wrap-ttl': 'bad' }, '', { rawMethods })
    assert.equal(health.wrapTtlSeconds, undefined)
  })
})

describe('bodies', () => {
  const unmarshal = (type: string): string =>
    `failed to decode JSON input: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
  for (const [body, text] of [
    ['{', 'failed to decode JSON input: unexpected EOF'],
    ['hello', "failed to decode JSON input: invalid character 'h' looking for beginning of value"],
    ['[]', unmarshal('array')],
    ['"x"', unmarshal('string')],
    ['12', unmarshal('number')],
    ['12345678901234567890', unmarshal('number')],
    ['true', unmarshal('bool')],
    ['[1', 'failed to decode JSON input: unexpected EOF'],
    [
      '{"data":{"a":1}} trailing',
      "failed to decode JSON input: invalid character 'a' in literal true (expecting 'u')",
    ],
    ["{'data':{}}", "failed to decode JSON input: invalid character '\\''"],
    [
      '{"data":{"a":1},}',
      "failed to decode JSON input: invalid character '}' looking for beginning of object key string",
    ],
  ] as const)
    it(`${body} is refused`, () => {
      assert.deepEqual(refusal('POST', 'a', {}, body), [400, text])
      const patch = { 'content-type': 'application/merge-patch+json; charset=utf-8' }
      assert.deepEqual(refusal('PATCH', 'a', patch, body), [400, text])
    })

  it('that say nothing are no parameters', () => {
    for (const body of ['', '   ', 'null'])
      assert.equal(request('POST', 'a', {}, body).data, undefined)
    assert.deepEqual(asked('POST', 'a', {}, '{}'), ['update', 'a', {}])
  })

  it('count only their first value', () => {
    assert.deepEqual(asked('POST', 'a', {}, '{"n":"a"}{"n":"b"}'), ['update', 'a', { n: 'a' }])
  })

  it('are refused when they are too complex', async () => {
    const list = (count: number): string =>
      JSON.stringify({ policies: Array.from({ length: count }, (_, i) => `p${i}`) })
    assert.ok(request('POST', 'a', {}, list(999)))
    assert.deepEqual(refusal('POST', 'a', {}, list(1_000)), [
      400,
      'refused JSON input due to high complexity: exceeded maximum number of strings',
    ])
    const many = Buffer.from(`{"x":[${'{},'.repeat(400_000)}1]}`)
    const judged = await interpret(
      { method: 'POST', target: '/v1/a', headers: { host: 'localhost' }, body: many },
      origin,
      { limits: httpLimits },
    )
    assert.ok('answer' in judged)
    assert.equal(judged.answer.status, 400)
    assert.match(
      String(judged.answer.body),
      /refused JSON input due to high complexity: exceeded maximum estimated memory limits/,
    )
    const deep = (depth: number): string => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.ok(request('POST', 'a', {}, deep(2_000)))
    assert.deepEqual(refusal('POST', 'a', {}, deep(20_000)), [
      400,
      'failed to decode JSON input: exceeded max depth',
    ])
  })

  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

  it('are forms only when they say so and do not look like JSON', () => {
    assert.deepEqual(asked('POST', 'a', form, 'a=1&b=x%20y+z&a=2&c'), [
      'update',
      'a',
      { a: '1,2', b: 'x y z', c: '' },
    ])
    assert.deepEqual(asked('PUT', 'a', form, ' {"a":1}'), ['update', 'a', { a: 1 }])
    assert.deepEqual(refusal('POST', 'a', form, 'a=%zz'), [400, 'error parsing form data'])
    assert.deepEqual(asked('POST', 'a', { 'content-type': 'text/plain' }, '{"a":1}'), [
      'update',
      'a',
      { a: 1 },
    ])
  })

  it('of a PATCH need its media type', () => {
    assert.deepEqual(refusal('PATCH', 'a', {}, '{}'), [400, 'mime: no media type'])
    for (const type of ['application/json', 'application/json-patch+json'])
      assert.deepEqual(refusal('PATCH', 'a', { 'content-type': type }, '{}'), [
        415,
        `PATCH requires Content-Type of application/merge-patch+json, provided ${type}`,
      ])
    for (const type of ['a b', '/', 'a/', 'text/html; =', ';'])
      assert.equal((refusal('PATCH', 'a', { 'content-type': type }, '{}') as unknown[])[0], 400)
  })
})

describe('headers', () => {
  const token = (headers: Record<string, string>): string | undefined =>
    request('GET', 'a', headers).token

  it('carry the token', () => {
    assert.equal(token({ 'x-vault-token': 't', authorization: 'Bearer u' }), 't')
    assert.equal(token({ 'x-vault-token': '', authorization: 'Bearer  u ' }), 'u')
    for (const authorization of ['bearer u', 'Bearer', 'Bearer ', 'Basic cm9vdA'])
      assert.equal(token({ authorization }), undefined)
  })

  it('carry the namespace', () => {
    for (const [value, wanted] of [
      ['', ''],
      ['root', ''],
      ['/', ''],
      ['a/b', 'a/b/'],
      ['/a/', 'a/'],
    ] as const)
      assert.equal(request('GET', 'a', { 'x-vault-namespace': value }).namespace, wanted)
  })

  it('carry the TTL of a wrapping', () => {
    for (const [value, wanted] of [
      ['5m', 300],
      ['60', 60],
      ['1h30m', 5_400],
      ['1ms', 0.001],
      ['0', undefined],
      ['0s', undefined],
      ['', undefined],
    ] as const)
      assert.equal(request('GET', 'a', { 'x-vault-wrap-ttl': value }).wrapTtlSeconds, wanted)
    for (const [value, text] of [
      ['-1', 'requested wrap ttl cannot be negative'],
      ['-5m', 'requested wrap ttl cannot be negative'],
      ['abc', 'time: invalid duration "abc"'],
      ['1.5', 'time: missing unit in duration "1.5"'],
    ] as const)
      assert.deepEqual(refusal('GET', 'a', { 'x-vault-wrap-ttl': value }), [
        400,
        `error parsing X-Vault-Wrap-TTL header: ${text}`,
      ])
    assert.equal(request('GET', 'a', { 'x-vault-wrap-format': 'jwt' }).wrapFormat, 'jwt')
    assert.equal(request('GET', 'a', { 'x-vault-wrap-format': 'JWT' }).wrapFormat, undefined)
  })

  it('carry second factors', () => {
    assert.deepEqual(request('GET', 'a', { 'x-vault-mfa': ['totp:1:2', 'duo'] }).mfaHeaders, [
      { method: 'totp', value: '1:2' },
      { method: 'duo', value: undefined },
    ])
    for (const [value, what] of [
      [':x', 'missing method name or ID'],
      ['a:', 'missing method value'],
    ] as const)
      assert.deepEqual(refusal('GET', 'a', { 'x-vault-mfa': value }), [
        400,
        `failed to parse X-Vault-MFA header: invalid data in header "X-Vault-MFA"; ${what}`,
      ])
  })

  it('name a host that development mode answers to', () => {
    const options = { hostCheck: ['localhost', '127.0.0.1', '[::1]'] }
    for (const host of ['localhost', 'LOCALHOST:8200', '127.0.0.1:8200', '[::1]:8200', '[::1]'])
      assert.ok(request('GET', 'a', { host }, '', options))
    for (const host of ['evil.example', 'localhost.evil.example:80', '', '[::2]', '127.0.0.1.x'])
      assert.equal((refusal('GET', 'a', { host }, '', options) as unknown[])[0], 403)
  })
})

describe('hostile requests', () => {
  it('are judged, whatever they hold', () => {
    const units = fc.string({ unit: 'binary', maxLength: 30 })
    const latin1 = units.map((text) => Buffer.from(text).toString('latin1'))
    const odd = fc.array(
      fc.constantFrom(
        '%',
        '2e',
        '..',
        '/',
        '//',
        '?',
        '&',
        '=',
        ';',
        'list',
        'true',
        '%ff',
        '+',
        '#',
      ),
    )
    const method = fc.constantFrom('GET', 'LIST', 'POST', 'PATCH', 'DELETE', 'X', 'HEAD')
    fc.assert(
      fc.property(
        method,
        fc.oneof(
          latin1,
          odd.map((parts) => parts.join('')),
        ),
        fc.dictionary(
          fc.constantFrom(
            'x-vault-token',
            'x-vault-mfa',
            'x-vault-wrap-ttl',
            'content-type',
            'x-vault-namespace',
            'authorization',
            '__proto__',
          ),
          latin1,
        ),
        fc.uint8Array({ maxLength: 40 }),
        (verb, target, headers, body) => {
          const { request: judged, answer } = judge(verb, target, headers, body)
          if (judged) assert.doesNotMatch(judged.path, /(^|\/)\.\.?(\/|$)/)
          else assert.ok(answer && answer.status >= 200 && answer.status < 500)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('a long body', () => {
  /** What becomes of a body that is read at once, and of the same with so much white space that it is long. */
  const both = async (body: string, limits = httpLimits, method = 'POST'): Promise<unknown[]> => {
    const judgedOf = (text: string) =>
      interpret(
        {
          method,
          target: '/v1/a',
          headers: { host: 'localhost', 'content-type': 'application/merge-patch+json' },
          body: Buffer.from(text),
        },
        origin,
        { limits },
      )
    const short = judgedOf(body)
    const long = judgedOf(' '.repeat(70_000) + body)
    assert.ok(!(short instanceof Promise))
    assert.ok(long instanceof Promise)
    return [await long, short]
  }

  it('is read and refused as a short one is', async () => {
    const bodies = [
      '{"a":["b",1,1.50,12345678901234567890,true,null,"\\ud83d\\ude00 \\n"],"__proto__":{}}',
      'null',
      '[]',
      '{"a":',
      '{"a":tru}',
      '{"a":"b',
      '{"a":"b\\',
      '{"a":"\\x"}',
      '{"a":1} x',
      '',
    ]
    for (const body of bodies) {
      for (const method of ['POST', 'PATCH']) {
        const [long, short] = await both(body, httpLimits, method)
        if (body !== '') assert.deepEqual(long, short, body)
      }
    }
    const [long] = await both('{"a":["b","c"]}', { ...httpLimits, jsonStrings: 2 })
    assert.ok('answer' in (long as object))
    assert.match(JSON.stringify(long), /exceeded maximum number of strings/)
  })

  it('may hold long texts', async () => {
    const text = `${'é"\\'.repeat(40_000)}\u{1f600}`
    const body = Buffer.from(JSON.stringify({ text, also: [text] }))
    const judged = await interpret(
      { method: 'POST', target: '/v1/a', headers: { host: 'localhost' }, body },
      origin,
      { limits: httpLimits },
    )
    assert.ok('request' in judged)
    assert.deepEqual({ ...judged.request.data }, { text, also: [text] })
  })
})
