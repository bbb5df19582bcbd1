import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { cidrsContain, firstOutside, isCidrBlock, normalCidr } from './cidr.ts'

it('shows addresses and blocks in their normal form', () => {
  const forms: readonly (readonly [string, string | undefined])[] = [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1/32', '127.0.0.1'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::1', '::1'],
    ['::1/128', '::1'],
    ['2001:DB8:0:0::/32', '2001:db8::/32'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.0/8', undefined],
    ['', undefined],
    ['x', undefined],
    ['localhost', undefined],
    ['300.1.1.1', undefined],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/8/8', undefined],
    ['010.0.0.1', undefined],
    ['fe80::1%eth0', undefined],
    ['::1/129', undefined],
  ]
  for (const [text, normal] of forms) assert.equal(normalCidr(text), normal, text)
})

it('calls a block only what has a mask', () => {
  assert.ok(isCidrBlock('1.2.3.4/32'))
  assert.ok(!isCidrBlock('1.2.3.4'))
  assert.ok(!isCidrBlock('x/8'))
})

it('contains the addresses of a block and no others', () => {
  assert.ok(cidrsContain(['10.0.0.0/8', '::1'], '10.255.255.255'))
  assert.ok(cidrsContain(['10.0.0.0/8', '::1'], '::1'))
  assert.ok(cidrsContain(['10.0.0.0/8'], '::ffff:10.0.0.1'))
  assert.ok(!cidrsContain(['10.0.0.0/8'], '11.0.0.0'))
  assert.ok(!cidrsContain(['0.0.0.0/0'], '::1'))
  assert.ok(!cidrsContain([], '10.0.0.1'))
  assert.ok(!cidrsContain(['0.0.0.0/0'], 'no address'))
})

it('finds the block that lies outside', () => {
  assert.equal(firstOutside(['10.1.0.0/16', '10.2.3.4/32'], ['10.0.0.0/8']), undefined)
  assert.equal(firstOutside(['10.0.0.0/7'], ['10.0.0.0/8']), '10.0.0.0/7')
  assert.equal(firstOutside(['::1/128'], ['0.0.0.0/0']), '::1/128')
})

it('agrees with the bits of the addresses, and keeps its normal form', () => {
  const octets = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 })
  const value = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 256 + part, 0)
  fc.assert(
    fc.property(octets, octets, fc.nat(32), (net, host, bits) => {
      const block = `${net.join('.')}/${bits}`
      const size = 2 ** (32 - bits)
      const inside = Math.floor(value(net) / size) === Math.floor(value(host) / size)
      assert.equal(cidrsContain([block], host.join('.')), inside)
      assert.equal(normalCidr(normalCidr(block)!), normalCidr(block))
    }),
  )
  fc.assert(
    fc.property(fc.ipV6(), fc.nat(128), (address, bits) => {
      assert.ok(cidrsContain([address], address))
      if (normalCidr(address)!.includes(':'))
        assert.ok(cidrsContain([`${address}/${bits}`], address))
    }),
  )
})

it('never throws, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      normalCidr(`${one}/${other}`)
      cidrsContain([one], other)
    }),
  )
})
