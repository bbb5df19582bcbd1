import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditAuth, AuditMount, AuditRequest, AuditResponse } from './entry.ts'
import { nanoTime, secondTime } from './entry-time.ts'
import {
  renderAuth,
  renderCommon,
  renderRequestEntry,
  renderResponseEntry,
  shownData,
} from './render-entry.ts'
import type { EntryForm } from './render-entry.ts'

const FORM: EntryForm = {
  conceal: (text) => `h(${text})`,
  concealAccessor: (text) => `a(${text})`,
  made: { conceal: (text) => `h(${text})`, concealAccessor: (text) => `a(${text})` },
  elideLists: false,
  itemsMax: 10_000,
}
const TIME = nanoTime(Date.UTC(2026, 0, 2, 3, 4, 5, 600))

const MOUNT: AuditMount = {
  point: 'secret/',
  type: 'kv',
  accessor: 'kv_1234abcd',
  class: 'secret',
  runningVersion: 'v0.1.0+builtin.signet',
  nonHmacRequestKeys: new Set(['open']),
  nonHmacResponseKeys: new Set(['shown']),
}

const READ: AuditRequest = {
  id: 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
  operation: 'read',
  path: 'secret/data/x',
  namespace: { id: 'root', path: '' },
  mount: MOUNT,
  clientId: 'client',
  clientToken: 's.token',
  clientTokenAccessor: 'acc',
  remoteAddress: '127.0.0.1',
  remotePort: 50000,
}

const ROOT: AuditAuth = {
  clientToken: 's.token',
  accessor: 'acc',
  displayName: 'root',
  policies: ['root'],
  tokenPolicies: ['root'],
  policyResults: {
    allowed: true,
    grantingPolicies: [{ name: 'root', namespaceId: 'root', namespacePath: '', type: 'acl' }],
  },
  tokenType: 'service',
  tokenIssueTime: Date.UTC(2026, 0, 1),
}

const requestLine = (auth: AuditAuth | undefined, request: AuditRequest, error?: string): string =>
  renderRequestEntry(TIME, renderCommon(FORM, renderAuth(FORM, auth), request), error)

const responseOf = (
  request: AuditRequest,
  response: AuditResponse | undefined,
  form: EntryForm = FORM,
  error = '',
): unknown => {
  const data = response && shownData(response, request.operation === 'list', form)
  const line = renderResponseEntry(
    form,
    TIME,
    renderCommon(form, renderAuth(form, undefined), request),
    {
      request,
      response,
      data,
      error,
    },
  )
  return (JSON.parse(line) as { response?: unknown }).response
}

test('a request entry is the example of spec/sys.md 6.3, member for member', () => {
  assert.equal(
    requestLine(ROOT, READ),
    '{"time":"2026-01-02T03:04:05.6Z","type":"request","auth":{"client_token":"h(s.token)","accessor":"a(acc)",' +
      '"display_name":"root","policies":["root"],"token_policies":["root"],"policy_results":{"allowed":true,' +
      '"granting_policies":[{"name":"root","namespace_id":"root","type":"acl"}]},"token_type":"service",' +
      '"token_issue_time":"2026-01-01T00:00:00Z"},"request":{"id":"f47ac10b-58cc-4372-a567-0e02b2c3d479",' +
      '"client_id":"client","operation":"read","mount_point":"secret/","mount_type":"kv",' +
      '"mount_accessor":"kv_1234abcd","mount_running_version":"v0.1.0+builtin.signet","mount_class":"secret",' +
      '"client_token":"h(s.token)","client_token_accessor":"a(acc)","namespace":{"id":"root"},' +
      '"path":"secret/data/x","remote_address":"127.0.0.1","remote_port":50000}}',
  )
})

test('a request entry with every member has them in the order of the spec', () => {
  const line = requestLine(
    {
      ...ROOT,
      identityPolicies: ['i'],
      externalNamespacePolicies: { 'n/': ['p'] },
      noDefaultPolicy: true,
      policyResults: {
        allowed: false,
        grantingPolicies: [{ name: '', namespaceId: '', namespacePath: '', type: '' }],
      },
      metadata: { z: '1', a: '2' },
      numUses: 5,
      remainingUses: 4,
      entityId: 'e',
      entityName: 'Ann',
      entityCreated: true,
      tokenType: 'batch',
      tokenTtlSeconds: 60,
    },
    {
      ...READ,
      operation: 'update',
      replicationCluster: 'c',
      namespace: { id: 'n1', path: 'ns/' },
      data: { password: 'p', open: 'o', n: 3 },
      policyOverride: true,
      wrapTtlSeconds: 30,
      headers: [
        { name: 'x-b', values: ['1', '2'], hmac: true },
        { name: 'x-a', values: ['<'], hmac: false },
      ],
      clientCertificateSerialNumber: '77',
    },
    'permission denied',
  )
  assert.equal(
    line,
    '{"time":"2026-01-02T03:04:05.6Z","type":"request","auth":{"client_token":"h(s.token)","accessor":"a(acc)",' +
      '"display_name":"root","policies":["root"],"token_policies":["root"],"identity_policies":["i"],' +
      '"external_namespace_policies":{"n/":["p"]},"no_default_policy":true,"policy_results":{"allowed":false,' +
      '"granting_policies":[{"type":""}]},"metadata":{"a":"2","z":"1"},"num_uses":5,"remaining_uses":4,' +
      '"entity_id":"e","entity_name":"Ann","entity_created":true,"token_type":"batch","token_ttl":60,' +
      '"token_issue_time":"2026-01-01T00:00:00Z"},"request":{"id":"f47ac10b-58cc-4372-a567-0e02b2c3d479",' +
      '"client_id":"client","replication_cluster":"c","operation":"update","mount_point":"secret/",' +
      '"mount_type":"kv","mount_accessor":"kv_1234abcd","mount_running_version":"v0.1.0+builtin.signet",' +
      '"mount_class":"secret","client_token":"h(s.token)","client_token_accessor":"a(acc)",' +
      '"namespace":{"id":"n1","path":"ns/"},"path":"secret/data/x",' +
      '"data":{"n":3,"open":"o","password":"h(p)"},"policy_override":true,"remote_address":"127.0.0.1",' +
      '"remote_port":50000,"wrap_ttl":30,"headers":{"x-a":["\\u003c"],"x-b":["h(1)","h(2)"]},' +
      '"client_certificate_serial_number":"77"},"error":"permission denied"}',
  )
})

test('nobody is the default token type, and nothing empty is written', () => {
  assert.equal(
    requestLine(undefined, {
      id: 'i',
      operation: 'read',
      path: 'nowhere',
      namespace: { id: '', path: '' },
      data: {},
      headers: [],
      remotePort: 0,
      wrapTtlSeconds: 0,
    }),
    '{"time":"2026-01-02T03:04:05.6Z","type":"request","auth":{"token_type":"default"},' +
      '"request":{"id":"i","operation":"read","path":"nowhere"}}',
  )
})

test('a response entry repeats the mount, and hides tokens, accessors and data', () => {
  const common = renderCommon(FORM, renderAuth(FORM, ROOT), READ)
  const response: AuditResponse = {
    auth: { ...ROOT, remainingUses: 3, entityCreated: true },
    leaseId: 'secret/x/1',
    data: { shown: 'yes', value: 'v' },
    warnings: ['careful'],
    redirect: 'https://x/',
    wrapInfo: {
      ttlSeconds: 60,
      token: 's.wrap',
      accessor: 'wacc',
      creationTime: '2026-01-02T03:04:05.600000001Z',
      creationPath: 'secret/data/x',
      wrappedAccessor: 'inner',
    },
    headers: { 'x-y': ['z'] },
  }
  const parts = { request: READ, response, data: response.data, error: 'late' }
  assert.equal(
    renderResponseEntry(FORM, TIME, common, parts),
    `{"time":"2026-01-02T03:04:05.6Z","type":"response",${common},"response":{"auth":` +
      '{"client_token":"h(s.token)","accessor":"a(acc)","display_name":"root","policies":["root"],' +
      '"token_policies":["root"],"entity_created":true,"token_type":"service",' +
      '"token_issue_time":"2026-01-01T00:00:00Z"},"mount_point":"secret/","mount_type":"kv",' +
      '"mount_accessor":"kv_1234abcd","mount_running_plugin_version":"v0.1.0+builtin.signet",' +
      '"mount_class":"secret","secret":{"lease_id":"secret/x/1"},"data":{"shown":"yes","value":"h(v)"},' +
      '"warnings":["careful"],"redirect":"https://x/","wrap_info":{"ttl":60,"token":"h(s.wrap)",' +
      '"accessor":"a(wacc)","creation_time":"2026-01-02T03:04:05.600000001Z",' +
      '"creation_path":"secret/data/x","wrapped_accessor":"a(inner)"},"headers":{"x-y":["z"]}},"error":"late"}',
  )
})

test('a failure without an answer has no response member', () => {
  assert.equal(responseOf(READ, undefined, FORM, 'permission denied'), undefined)
})

test('a list is shown as on the wire; a count stands for keys that were not kept', () => {
  const request = { ...READ, operation: 'list', mount: undefined }
  assert.deepEqual(
    responseOf(request, { list: { keys: ['a', 'b'], keyInfo: { a: { name: 'x' } } } }),
    { data: { key_info: { a: { name: 'h(x)' } }, keys: ['h(a)', 'h(b)'] } },
  )
  assert.deepEqual(responseOf(request, { list: { keys: 20_000, keyInfo: 19_000 } }), {
    data: { key_info: 19_000, keys: 20_000 },
  })
  const keys = Array.from({ length: 10_001 }, String)
  assert.deepEqual(responseOf(request, { list: { keys } }), { data: { keys: 10_001 } })
  assert.deepEqual(responseOf(request, { list: { keys } }, { ...FORM, itemsMax: Infinity }), {
    data: { keys: keys.map((key) => `h(${key})`) },
  })
})

test('eliding list responses counts keys and key_info of lists alone, and only arrays and objects', () => {
  const form = { ...FORM, elideLists: true }
  const data = { keys: ['a'], key_info: { a: {}, b: {} }, other: 'o' }
  const request = { ...READ, mount: undefined }
  assert.deepEqual(responseOf({ ...request, operation: 'list' }, { data }, form), {
    data: { keys: 1, key_info: 2, other: 'h(o)' },
  })
  assert.deepEqual(responseOf(request, { data }, form), {
    data: { keys: ['h(a)'], key_info: { a: {}, b: {} }, other: 'h(o)' },
  })
  assert.deepEqual(responseOf({ ...request, operation: 'list' }, { data: { keys: 'k' } }, form), {
    data: { keys: 'h(k)' },
  })
})

test('times are written as Go writes them', () => {
  assert.equal(nanoTime(Date.UTC(2026, 0, 2)), '2026-01-02T00:00:00Z')
  assert.equal(nanoTime(Date.UTC(2026, 0, 2, 0, 0, 0, 120)), '2026-01-02T00:00:00.12Z')
  assert.equal(secondTime(Date.UTC(2026, 0, 2, 3, 4, 5, 999)), '2026-01-02T03:04:05Z')
})
