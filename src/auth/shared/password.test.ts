import assert from 'node:assert/strict'
import { it } from 'node:test'
import { limits } from '../../limits.ts'
import { countedBcrypt } from './fake-mount.ts'
import { checkedHash, createPasswords } from './password.ts'

it('hashes with bcrypt and knows its own hashes', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('right')
  assert.match(hash, /^\$2[aby]\$10\$/)
  assert.ok(await passwords.verifyOrDummy(hash, 'right'))
  assert.ok(!(await passwords.verifyOrDummy(hash, 'wrong')))
  assert.equal(checkedHash(hash), hash)
})

it('works for an unknown user as for a known one, and says no', async () => {
  const bcrypt = countedBcrypt()
  const seen: string[] = []
  const passwords = createPasswords({
    bcrypt: {
      ...bcrypt,
      verify: async (_password, hash) => {
        seen.push(hash)
        return true
      },
    },
  })
  assert.equal(await passwords.verifyOrDummy(undefined, 'any'), false)
  assert.match(seen[0]!, /^\$2b\$10\$/)
  assert.equal(seen.length, 1)
})

it('keeps to its places and serves the rest in order', async () => {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const passwords = createPasswords({
    atOnce: 2,
    bcrypt: {
      ...countedBcrypt(),
      hash: (password) => {
        begun.push(password)
        return new Promise((resolve) => ends.push(() => resolve(password)))
      },
    },
  })
  const all = ['a', 'b', 'c', 'd'].map((password) => passwords.hash(password))
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['a', 'b'])
  ends.shift()!()
  assert.equal(await all[0], 'a')
  await new Promise(setImmediate)
  assert.deepEqual(begun, ['a', 'b', 'c'])
  ends.shift()!()
  ends.shift()!()
  await Promise.all(all.slice(1, 3))
  ends.shift()!()
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd'])
})

it('gives the place of a failed hash to the next', async () => {
  const passwords = createPasswords({
    atOnce: 1,
    bcrypt: {
      ...countedBcrypt(),
      hash: async (password) => {
        if (password === 'bad') throw new Error('no memory')
        return password
      },
    },
  })
  const bad = passwords.hash('bad')
  const good = passwords.hash('good')
  await assert.rejects(bad, /no memory/)
  assert.equal(await good, 'good')
})

it('turns away what would wait too long', async () => {
  const ends: (() => void)[] = []
  const passwords = createPasswords({
    atOnce: 1,
    bcrypt: {
      ...countedBcrypt(),
      hash: (password) => new Promise((resolve) => ends.push(() => resolve(password))),
    },
  })
  const all = Array.from({ length: limits.passwordsWaiting + 1 }, () => passwords.hash('x'))
  await assert.rejects(passwords.hash('y'), { kind: 'unavailable' })
  for (let done = 0; done < all.length; done++) {
    while (ends.length === 0) await new Promise(setImmediate)
    ends.shift()!()
  }
  assert.equal((await Promise.all(all)).length, limits.passwordsWaiting + 1)
})

it('refuses a password that bcrypt would cut off', async () => {
  const bcrypt = countedBcrypt()
  await assert.rejects(createPasswords({ bcrypt }).hash('ä'.repeat(37)), {
    message: 'bcrypt: password length exceeds 72 bytes',
  })
  assert.equal(bcrypt.hashes, 0)
})

it('takes hashes of a sensible cost only', () => {
  const of = (cost: string) => `$2a$${cost}$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy`
  assert.equal(checkedHash(of('10')), of('10'))
  const refused: readonly (readonly [string, string])[] = [
    ['x', 'password_hash is not a valid bcrypt hash'],
    [`${of('10')}x`, 'password_hash is not a valid bcrypt hash'],
    [of('04'), 'bcrypt cost of 4 is too low, want 5 at minimum'],
    [of('13'), 'bcrypt cost of 13 exceeds maximum cost of 12'],
  ]
  for (const [hash, message] of refused) assert.throws(() => checkedHash(hash), { message })
})
