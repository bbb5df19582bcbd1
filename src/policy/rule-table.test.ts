import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AclRule } from './acl-rule.ts'
import { RuleBuilder } from './acl-rule.ts'
import type { Capability } from './capability.ts'
import { classify, isForbidden } from './pattern.ts'
import { RuleTable } from './rule-table.ts'

const ruleOf = (pattern: string, ...capabilities: readonly Capability[]): AclRule => {
  const builder = new RuleBuilder(pattern)
  builder.add({ pattern, kind: 'exact', capabilities }, 'p')
  return builder.build()
}

const tableOf = (patterns: readonly string[]): RuleTable => {
  const rules = {
    exact: new Map<string, AclRule>(),
    prefix: new Map<string, AclRule>(),
    segments: new Map<string, AclRule>(),
  }
  for (const pattern of patterns) {
    const { text, kind } = classify(pattern)
    rules[kind].set(text, ruleOf(pattern, 'read'))
  }
  return new RuleTable(rules)
}

const winner = (patterns: readonly string[], path: string, listing = false): string | undefined =>
  tableOf(patterns).find(path, listing)?.pattern

test('the examples of the specification', () => {
  const beats: readonly (readonly [string, string, string])[] = [
    ['secret/a*', 'secret/+', 'secret/abc'],
    ['secret/bar/+/baz', 'secret/+/bar/baz', 'secret/bar/bar/baz'],
    ['secret/+/bar', 'secret/+/ba*', 'secret/x/bar'],
    ['secret/bar/+/baz', 'secret/bar/+/+', 'secret/bar/x/baz'],
    ['secret/+/bar/ba*', 'secret/+/bar/b*', 'secret/x/bar/baz'],
  ]
  for (const [stronger, weaker, path] of beats) {
    assert.equal(winner([stronger, weaker], path), stronger)
    assert.equal(winner([weaker, stronger], path), stronger)
    assert.equal(winner([weaker], path), weaker, path)
  }
})

test('an exact pattern decides alone, the longest prefix among the prefixes', () => {
  const patterns = ['kv/*', 'kv/a', 'kv/a/*', 'kv/a/b*', '*']
  assert.equal(winner(patterns, 'kv/a'), 'kv/a')
  assert.equal(winner(patterns, 'kv/a/'), 'kv/a/*')
  assert.equal(winner(patterns, 'kv/a/bc'), 'kv/a/b*')
  assert.equal(winner(patterns, 'kv/b'), 'kv/*')
  assert.equal(winner(patterns, 'other'), '*')
  assert.equal(winner(['kv/*'], 'kv'), undefined)
})

test('lists fall back to the path without its slash, reads do not', () => {
  assert.equal(winner(['kv/a'], 'kv/a/', true), 'kv/a')
  assert.equal(winner(['kv/a'], 'kv/a/', false), undefined)
  // What the slash has is asked first, whichever kind it is.
  assert.equal(winner(['kv/+', 'kv/a/*'], 'kv/a/', true), 'kv/a/*')
  assert.equal(winner(['kv/a', 'kv/*'], 'kv/a/', true), 'kv/a')
  assert.equal(winner(['kv/+'], 'kv/a/', true), 'kv/+')
})

test('a plus stands for one whole segment, empty ones included', () => {
  assert.equal(winner(['+'], 'a'), '+')
  assert.equal(winner(['+'], 'a/b'), undefined)
  assert.equal(winner(['a/+/c'], 'a//c'), 'a/+/c')
  assert.equal(winner(['a/+b/c'], 'a/xb/c'), undefined)
  assert.equal(winner(['a/+b/c'], 'a/+b/c'), 'a/+b/c')
  assert.equal(winner(['a+'], 'a+'), 'a+')
  assert.equal(winner(['a/+/c*'], 'a/b/cd/e/f'), 'a/+/c*')
  assert.equal(winner(['a/+/*'], 'a/b'), undefined)
  assert.equal(winner(['a/+/*'], 'a/b/'), 'a/+/*')
})

test('a mount is touched by what grants something on it or below', () => {
  const grants = (pattern: string): boolean => tableOf([pattern]).touches('secret/')
  for (const pattern of [
    'secret/a',
    'secret/',
    'secret/*',
    'sec*',
    '*',
    'secret/+',
    '+/a',
    'secret',
  ])
    assert.equal(grants(pattern), true, pattern)
  for (const pattern of ['secrets/a', 'kv/*', 'secret2', 'other/+'])
    assert.equal(grants(pattern), false, pattern)
  const exact = new Map([['secret/a', ruleOf('secret/a', 'deny')]])
  const denies = new RuleTable({ exact, prefix: new Map(), segments: new Map() })
  assert.equal(denies.touches('secret/'), false)
})

/* The specification again (spec/auth.md 3.5), as slowly as it can be written. */

const matchesSlowly = (pattern: string, path: string): boolean => {
  const { text, kind } = classify(pattern)
  if (kind === 'exact') return text === path
  if (kind === 'prefix') return path.startsWith(text)
  const open = text.endsWith('*')
  const wanted = text.split('/')
  const given = path.split('/')
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false
  for (const [i, segment] of wanted.entries()) {
    if (segment === '+') continue
    const last = open && i === wanted.length - 1
    if (last ? !given[i]!.startsWith(segment.slice(0, -1)) : given[i] !== segment) return false
  }
  return true
}

const firstWildcard = (pattern: string): number =>
  pattern.includes('+') && classify(pattern).kind === 'segments'
    ? pattern.indexOf('+')
    : pattern.length - 1

const plusses = (pattern: string): number =>
  classify(pattern).kind === 'segments'
    ? pattern
        .replace(/\*$/, '')
        .split('/')
        .filter((segment) => segment === '+').length
    : 0

const strongerSlowly = (a: string, b: string): boolean => {
  const [textA, textB] = [a.replace(/\*$/, ''), b.replace(/\*$/, '')]
  if (firstWildcard(a) !== firstWildcard(b)) return firstWildcard(a) > firstWildcard(b)
  if (a.endsWith('*') !== b.endsWith('*')) return !a.endsWith('*')
  if (plusses(a) !== plusses(b)) return plusses(a) < plusses(b)
  if (textA.length !== textB.length) return textA.length > textB.length
  return textA > textB
}

const findOpenSlowly = (patterns: readonly string[], path: string): string | undefined => {
  const matching = patterns.filter((pattern) => matchesSlowly(pattern, path))
  const prefixes = matching.filter((pattern) => classify(pattern).kind === 'prefix')
  const longest = prefixes.toSorted((a, b) => b.length - a.length).slice(0, 1)
  const wild = matching.filter((pattern) => classify(pattern).kind === 'segments')
  return [...longest, ...wild].reduce<string | undefined>(
    (best, pattern) => (best === undefined || strongerSlowly(pattern, best) ? pattern : best),
    undefined,
  )
}

const findSlowly = (
  patterns: readonly string[],
  path: string,
  listing: boolean,
): string | undefined => {
  const exact = patterns.filter((pattern) => classify(pattern).kind === 'exact')
  const bare = listing && path.endsWith('/') ? path.slice(0, -1) : undefined
  return (
    exact.find((pattern) => pattern === path) ??
    exact.find((pattern) => pattern === bare) ??
    findOpenSlowly(patterns, path) ??
    (bare === undefined ? undefined : findOpenSlowly(patterns, bare))
  )
}

const segment = fc.constantFrom('a', 'b', 'ab', 'abc', '', 'x')
const pathOf = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const patternOf = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: segment }, fc.constantFrom('+', '+a', 'a+', 'a*')), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom('', '', '*'),
  )
  .map(([parts, end]) => parts.join('/') + end)
  .filter((pattern) => !isForbidden(pattern))

test('the table finds what the specification, read literally, finds', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(patternOf, { maxLength: 14 }),
      fc.array(pathOf, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (patterns, paths, listing) => {
        const table = tableOf(patterns)
        for (const path of paths)
          assert.equal(
            table.find(path, listing)?.pattern,
            findSlowly(patterns, path, listing),
            path,
          )
      },
    ),
    { numRuns: 3000 },
  )
})

test('any texts, surrogates included, find their longest prefix', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 })
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 12 }), text, (prefixes, path) => {
      const plain = prefixes.filter((prefix) => !prefix.includes('+') && !prefix.endsWith('*'))
      const longest = plain
        .filter((prefix) => path.startsWith(prefix))
        .reduce<string | undefined>(
          (best, p) => (p.length >= (best?.length ?? 0) ? p : best),
          undefined,
        )
      const found = tableOf(plain.map((prefix) => `${prefix}*`)).find(path, false)
      assert.equal(found?.pattern, longest === undefined ? undefined : `${longest}*`)
    }),
    { numRuns: 500 },
  )
})
