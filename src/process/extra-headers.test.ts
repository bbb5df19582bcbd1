import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { HttpRequest } from '../http/request.ts'
import { withResponseHeaders } from './extra-headers.ts'

const rules = new Map([
  [
    'default',
    new Map([
      ['X-A', ['1']],
      ['X-B', ['1', '2']],
    ]),
  ],
  ['2xx', new Map([['X-A', ['2']]])],
  ['204', new Map([['X-A', ['3']]])],
])

it('adds configured headers, the most precise rule winning, the answer itself above all', async () => {
  const headersOf = async (status: number, own?: Record<string, string>) => {
    const handle = withResponseHeaders(rules, async () => ({
      status,
      body: undefined,
      ...(own === undefined ? {} : { headers: own }),
    }))
    return (await handle({} as HttpRequest)).headers
  }
  assert.deepEqual(await headersOf(404), { 'X-A': '1', 'X-B': '1, 2' })
  assert.deepEqual(await headersOf(200), { 'X-A': '2', 'X-B': '1, 2' })
  assert.deepEqual(await headersOf(204), { 'X-A': '3', 'X-B': '1, 2' })
  assert.deepEqual(await headersOf(200, { 'X-A': 'mine' }), { 'X-A': 'mine', 'X-B': '1, 2' })
})
