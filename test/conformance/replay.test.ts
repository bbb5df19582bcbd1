import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorList } from '../../src/engine/refusal.ts'
import { renderError, renderNoContent, renderSuccess } from '../../src/http/envelope.ts'
import { createListener } from '../../src/http/listener.ts'
import type { HttpAnswer, HttpRequest } from '../../src/http/request.ts'
import { loadCases } from './case.ts'
import type { Answer, Case, Json, Step } from './case.ts'
import { differences, normalise } from './compare.ts'
import { judge, shrink } from './expectations.ts'
import { replay } from './replay.ts'
import type { CaseServer } from './replay.ts'
import { replayAll } from './suite.ts'

const step = (body: Json, rest: Partial<Step> = {}): Step => ({
  method: 'GET',
  path: 'a',
  answer: { status: 200, type: 'application/json', body },
  ...rest,
})
const answer = (body: Json): Answer => ({ status: 200, type: 'application/json', body })
const places = (want: Json, got: Json, rest: Partial<Step> = {}): readonly string[] =>
  differences(step(want, rest), answer(got)).map(({ where }) => where)

describe('comparing an answer with the recorded one', () => {
  it('lets an answer say more, never less', () => {
    assert.deepEqual(places({ data: { a: 1 } }, { data: { a: 1, b: 2 }, hints: [] }), [])
    assert.deepEqual(places({ data: { a: 1, b: null } }, { data: { a: 1 } }), ['data.b'])
  })

  it('wants an empty object to be one, at the top too', () => {
    assert.deepEqual(places({ data: {} }, { data: { a: 1 } }), ['data'])
    assert.deepEqual(places({}, { a: 1 }), [''])
  })

  it('wants small numbers exact, save those that count time', () => {
    assert.deepEqual(places({ token_ttl: 60, qr_size: 200 }, { token_ttl: 61, qr_size: 201 }), [
      'token_ttl',
      'qr_size',
    ])
    assert.deepEqual(places({ data: { ttl: 3599 } }, { data: { ttl: 3600 } }), [])
    assert.deepEqual(places({ data: { ttl: 0 } }, { data: { ttl: 1 } }), ['data.ttl'])
    assert.deepEqual(places({ data: { ttl: 3600 } }, { data: { ttl: 3590 } }), ['data.ttl'])
  })

  it('compares lists in order unless the step says that it means nothing', () => {
    assert.deepEqual(places({ keys: ['a', 'b'] }, { keys: ['b', 'a'] }), ['keys.0', 'keys.1'])
    assert.deepEqual(
      places({ keys: ['a', 'b'] }, { keys: ['b', 'a'] }, { unordered: ['keys'] }),
      [],
    )
    assert.deepEqual(places({ keys: ['a'] }, { keys: ['a', 'a'] }), ['keys'])
  })

  it('ignores the places that a step names', () => {
    assert.deepEqual(
      places({ data: { id: 'x' } }, { data: { id: 'y' } }, { ignore: ['data.id'] }),
      [],
    )
  })

  it('judges status, type and location', () => {
    const moved = step('', {
      answer: { status: 301, type: 'text/html', location: '/v1/b', body: '' },
    })
    const got = { status: 307, type: 'text/plain', location: '/v1/c', body: '' }
    assert.deepEqual(
      differences(moved, got).map(({ where }) => where),
      ['status', 'type', 'location'],
    )
  })

  it('does not take a property of every object for an answer', () => {
    assert.deepEqual(places({ constructor: null }, {}), ['constructor'])
  })
})

describe('normalising an answer', () => {
  const clean = (body: Json, saved: Record<string, Json> = {}): Json =>
    normalise(answer(body), new Map(Object.entries(saved))).body

  it('leaves every recorded answer as it is', async () => {
    const cases = await loadCases()
    const wrong = cases.flatMap(({ name, steps }) =>
      steps.flatMap((each, index) =>
        differences(each, normalise(each.answer, new Map())).map(
          ({ where }) => `${name} ${index} ${where}`,
        ),
      ),
    )
    assert.equal(cases.length, 179)
    assert.equal(cases.flatMap(({ steps }) => steps).length, 4_994)
    assert.deepEqual(wrong, [])
  })

  it('puts saved texts back to their names, in keys too, the longest first', () => {
    const id = '12345678-1234-1234-1234-123456789abc'
    assert.deepEqual(clean({ [id]: `${id}/x` }, { part: '12345678', whole: id }), {
      '${whole}': '${whole}/x',
    })
  })

  it('knows ids, times, tokens and large instants', () => {
    assert.deepEqual(
      clean({
        id: '12345678-1234-1234-1234-123456789abc',
        creation_time: 1_790_000_000,
        issue_time: '2026-11-25T10:00:00.123Z',
        name: 'entity_0a1b2c3d',
        client_token: 'short',
      }),
      {
        id: '<uuid>',
        creation_time: '<unix>',
        issue_time: '<time>',
        name: 'entity_<hex>',
        client_token: '<client_token>',
      },
    )
  })
})

/** Answers with what it was asked; `gone` is a 204, `seen` tells how many connections there have been. */
const startFake = async (): Promise<CaseServer> => {
  const ports = new Set<number>()
  const handle = async (request: HttpRequest): Promise<HttpAnswer> => {
    ports.add(request.remotePort)
    const { operation, path, token, data } = request
    if (path === 'gone') return renderNoContent()
    if (path === 'denied') return renderError(403, [errorList(['permission denied'])])
    const id = '12345678-1234-1234-1234-123456789abc'
    return renderSuccess({
      requestId: '',
      data: {
        id,
        operation,
        path,
        caller: token ?? '',
        data: data ?? null,
        connections: ports.size,
      },
    })
  }
  const listener = createListener({ handle })
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  return { port, stop: () => listener.stop(100) }
}

const told = (data: Record<string, Json>): Answer => answer({ data })
const conversation: Case = {
  name: 'fake/conversation',
  about: 'what a step can say',
  vars: { known: 'a-known-value' },
  steps: [
    step(null, {
      save: { id: 'data.id' },
      answer: told({ operation: 'read', path: 'a', caller: 'root', connections: 1 }),
    }),
    step(null, {
      method: 'LIST',
      path: 'x/${id}',
      as: '',
      answer: told({ operation: 'list', path: 'x/${id}/', caller: '', connections: 1 }),
    }),
    step(null, {
      method: 'SCAN',
      path: '/v1/y',
      as: '${id}',
      answer: told({ operation: 'scan', path: 'y/', caller: '${id}', connections: 1 }),
    }),
    step(null, {
      method: 'POST',
      body: { value: '${known}', n: 1 },
      answer: told({ operation: 'update', data: { value: '${known}', n: 1 }, connections: 1 }),
    }),
    step(null, {
      method: 'FOO',
      answer: { status: 405, type: 'application/json', body: { errors: [] } },
    }),
    step(null, {
      method: 'HEAD',
      path: 'gone',
      answer: { status: 204, type: 'application/json', body: '' },
    }),
    step(null, { path: 'denied', answer: { status: 200, type: 'application/json', body: {} } }),
    step(null, { path: '${nothing}', exempt: 'nothing was saved' }),
  ],
}

describe('replaying a case', () => {
  it('sends every verb itself over one kept connection, and fills in what was saved', async () => {
    const results = await replay(conversation, { start: startFake })
    assert.deepEqual(
      results.map(({ differences: found }) => found.map(({ where }) => where)),
      [[], [], [], [], [], [], ['status', ''], ['status', 'type', '']],
    )
  })

  it('runs cases that sleep after the others, one at a time', async () => {
    let running = 0
    const order: string[] = []
    const start = (name: string) => async (): Promise<CaseServer> => {
      const server = await startFake()
      running++
      order.push(`${name} ${running}`)
      return {
        port: server.port,
        stop: async () => {
          running--
          await server.stop()
        },
      }
    }
    const quiet = { ...conversation, name: 'quiet', steps: [step({})] }
    const sleeping = { ...quiet, name: 'sleeping', steps: [step({}, { sleep: 0.001 })] }
    const results = await replayAll([sleeping, quiet], start('server'))
    assert.deepEqual(
      results.map(({ name }) => name),
      ['sleeping', 'quiet'],
    )
    assert.deepEqual(order, ['server 1', 'server 1'])
  })

  it('counts every step of a server that does not start as different', async () => {
    const results = await replayAll([conversation], async () => {
      throw new Error('no')
    })
    assert.equal(
      results[0]?.steps.every(({ differences: found }) => found.length === 1),
      true,
    )
  })
})

describe('judging a replay', () => {
  const difference = { where: '', want: 1, got: 2 }
  const got = answer(2)
  const results = [
    {
      name: 'a',
      steps: [
        { index: 0, step: step(1), answer: got, differences: [] },
        { index: 1, step: step(1), answer: got, differences: [difference] },
        { index: 2, step: step(1), answer: got, differences: [difference] },
        { index: 3, step: step(1), answer: got, differences: [difference] },
        { index: 4, step: step(1, { exempt: 'why' }), answer: got, differences: [difference] },
      ],
    },
  ]
  const expected = {
    notYet: new Map([['a', [0, 1]]]),
    documented: [{ case: 'a', steps: [2], reason: 'better' }],
  }

  it('tells expected from unexpected, and finds what is off the list by now', () => {
    assert.deepEqual(judge(results, expected), {
      total: 5,
      identical: 1,
      exempt: 1,
      documented: 1,
      notYet: 1,
      unexpected: new Map([['a', [3]]]),
      outdated: new Map([['a', [0]]]),
    })
  })

  it('only ever shrinks the list', () => {
    const list = new Map([...expected.notYet, ['b', [7]] as const])
    const { outdated } = judge(results, expected)
    assert.deepEqual(
      [...shrink(list, outdated)],
      [
        ['a', [1]],
        ['b', [7]],
      ],
    )
  })
})
