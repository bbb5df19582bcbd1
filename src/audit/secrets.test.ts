import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../std/json.ts'
import { createAuditBroker } from './broker.ts'
import type { AuditAuth, AuditRequest, AuditResponse } from './entry.ts'
import { FakeFiles } from './fake-files.ts'

const MARK = 'S3CR3T'

/** Texts with a mark that nothing else holds, in all sorts of company; some look like times. */
const secret = fc
  .tuple(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.constantFrom('', '2026-01-02T03:04:05Z', '"', '\\', '\u2028', 'x'.repeat(300)),
  )
  .map(([around, special]) => `${around}${special}${MARK}${around}`)

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    secret,
    fc.constantFrom(1, true, null, 0.5),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.string({ maxLength: 8 }), tie('value'), { maxKeys: 5 }),
})).object as fc.Arbitrary<JsonObject>

const auth: fc.Arbitrary<AuditAuth> = fc
  .record({ clientToken: secret, accessor: secret })
  .map((tokens) => ({ ...tokens, displayName: 'ann', policies: ['default'], entityName: 'Ann' }))

const request: fc.Arbitrary<AuditRequest> = fc
  .record({ clientToken: secret, clientTokenAccessor: secret, data, values: fc.array(secret) })
  .map(({ values, ...tokens }) => ({
    id: 'id',
    operation: 'update',
    path: 'secret/x',
    namespace: { id: 'root', path: '' },
    headers: [{ name: 'x-a', values, hmac: true }],
    ...tokens,
  }))

const response: fc.Arbitrary<AuditResponse> = fc.record({
  auth,
  data,
  wrapInfo: fc
    .record({ token: secret, accessor: secret, wrappedAccessor: secret })
    .map((tokens) => ({ ttlSeconds: 1, creationTime: 't', creationPath: 'p', ...tokens })),
})

test('no secret of a request or an answer is in the log in clear, and every line is JSON', async () => {
  const files = new FakeFiles()
  const broker = createAuditBroker({ log: assert.fail, now: () => 0, host: files })
  const options = { file_path: '/log' }
  await broker.setDevices([
    { path: 'f/', type: 'file', description: '', options, local: false, salt: 'salt' },
  ])
  await fc.assert(
    fc.asyncProperty(request, auth, response, async (asked, asker, answer) => {
      files.contents.delete('/log')
      const trail = broker.begin(asked)
      await trail.request(asker)
      await trail.response(asker, answer)
      const lines = files.lines('/log')
      assert.equal(lines.length, 2)
      for (const line of lines) {
        assert.equal(line.includes(MARK), false, line)
        assert.equal(typeof JSON.parse(line), 'object')
      }
    }),
    { numRuns: 300 },
  )
})
