import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mount } from '../../engine/call.ts'
import { defaultLockoutConfig, tunedLockout } from './lockout.ts'

const mount: Mount = {
  uuid: '00000000-0000-4000-8000-000000000000',
  key: new Uint8Array(16),
  accessor: 'auth_userpass_00000000',
  type: 'userpass',
  path: 'auth/userpass/',
  description: '',
  local: false,
  options: null,
  defaultLeaseTtlSeconds: 60,
  maxLeaseTtlSeconds: 60,
  tokenType: 'default-service',
}

test('a mount without tuning has what the server has', () => {
  assert.deepEqual(tunedLockout(mount, defaultLockoutConfig), defaultLockoutConfig)
})

test('what is tuned holds, the rest falls back, and so do zeros', () => {
  const lockout = { threshold: 3, durationSeconds: 4, counterResetSeconds: 0 }
  assert.deepEqual(tunedLockout({ ...mount, lockout }, defaultLockoutConfig), {
    ...defaultLockoutConfig,
    threshold: 3,
    durationMs: 4000,
  })
})

test('a mount can switch lockout off and on against the server', () => {
  const off = tunedLockout({ ...mount, lockout: { disabled: true } }, defaultLockoutConfig)
  assert.equal(off.disabled, true)
  const on = tunedLockout(
    { ...mount, lockout: { disabled: false } },
    { ...defaultLockoutConfig, disabled: true },
  )
  assert.equal(on.disabled, false)
})
