import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mountPath, overlap, shownPath } from './mount-path.ts'

test('a mount path ends in one slash and begins with none', () => {
  for (const given of ['a', '/a', 'a/', '//a//']) assert.equal(mountPath(given), 'a/')
  assert.equal(mountPath('a/b'), 'a/b/')
})

test('mounts on, above and below one another overlap, mounts side by side do not', () => {
  assert.ok(overlap('a/', 'a/'))
  assert.ok(overlap('a/', 'a/b/'))
  assert.ok(overlap('a/b/', 'a/'))
  assert.ok(!overlap('a/', 'ab/'))
  assert.ok(!overlap('a/b/', 'a/c/'))
})

test('auth methods are shown without auth/', () => {
  assert.equal(shownPath({ class: 'auth', path: 'auth/up/' }), 'up/')
  assert.equal(shownPath({ class: 'secret', path: 'auth/up/' }), 'auth/up/')
})
