import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestServer } from '../support/server.ts'
import { loadCases } from './case.ts'
import { describeSteps, judge, loadExpectations } from './expectations.ts'
import { replayAll } from './suite.ts'

const WORKERS = 2

/**
 * Cases whose later requests rest on what an earlier one left: shares, codes, counters, lockouts, used codes, wrapped
 * answers, keyrings, mounts, devices. All cases: node test/conformance/run.ts --workers 4
 */
const CASES = [
  'host/sys/audit',
  'host/sys/rotate-keyring',
  'host/sys/seal',
  'host/sys/wrapping',
  'host/token/num-uses',
  'host/userpass/lockout',
  'identity/identity-policy-live',
  'identity/mfa-login',
  'identity/mfa-totp-method',
  'identity/provider-flow',
]

describe('several workers, any of which may answer any request', () => {
  it('answer as one does', async () => {
    const cases = (await loadCases(CASES)).filter(({ name }) => CASES.includes(name))
    assert.equal(cases.length, CASES.length)
    const results = await replayAll(cases, () => startTestServer({ workers: WORKERS }), 3)
    assert.equal(describeSteps(judge(results, loadExpectations()).unexpected), '')
  })
})
