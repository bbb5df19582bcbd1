import { isIPv4, isIPv6, SocketAddress } from 'node:net'

/** A block of addresses. `bits` counts from the left of the address: 32 (IPv4) or 128 (IPv6) is a single host. */
interface Block {
  readonly family: 4 | 6
  readonly address: bigint
  readonly bits: number
  /** The address as Go prints it; host bits that the mask covers stay. */
  readonly text: string
}

const WIDTH = { 4: 32, 6: 128 } as const
const MAPPED = 0xffffn

const ipv4Value = (text: string): bigint =>
  text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)

const ipv6Groups = (text: string): readonly bigint[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [BigInt(`0x${group}`)]
        const value = ipv4Value(group)
        return [value >> 16n, value & 0xffffn]
      })

const ipv6Value = (text: string): bigint => {
  const [head = '', tail] = text.split('::')
  const first = ipv6Groups(head)
  const last = tail === undefined ? [] : ipv6Groups(tail)
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0n)
  return [...first, ...zeros, ...last].reduce((value, group) => (value << 16n) | group, 0n)
}

const ipv4Text = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')

/** An address as a block of one; an IPv4 address inside IPv6 (`::ffff:1.2.3.4`) is that IPv4 address. */
const parseAddress = (text: string): Block | undefined => {
  if (isIPv4(text)) return { family: 4, address: ipv4Value(text), bits: 32, text }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const address = ipv6Value(text)
  if (address >> 32n === MAPPED) {
    const inner = address & 0xffffffffn
    return { family: 4, address: inner, bits: 32, text: ipv4Text(inner) }
  }
  const shown = new SocketAddress({ address: text, family: 'ipv6' }).address
  return { family: 6, address, bits: 128, text: shown }
}

const parseBlock = (text: string): Block | undefined => {
  const [addressText = '', bitsText, more] = text.split('/')
  const host = parseAddress(addressText)
  if (host === undefined || bitsText === undefined) return host
  if (more !== undefined || !/^(0|[1-9]\d{0,2})$/.test(bitsText)) return undefined
  const written = Number(bitsText)
  // The mask of a mapped address counts from the left of the IPv6 form.
  const bits = host.family === 4 && addressText.includes(':') ? written - 96 : written
  return bits < 0 || bits > WIDTH[host.family] ? undefined : { ...host, bits }
}

const covers = (outer: Block, inner: Block): boolean => {
  const shift = BigInt(WIDTH[outer.family] - outer.bits)
  return (
    outer.family === inner.family &&
    outer.bits <= inner.bits &&
    outer.address >> shift === inner.address >> shift
  )
}

/** An address or block as reads show it (`10.0.0.0/8`, `127.0.0.1`, never `127.0.0.1/32`); undefined when it is none. */
export const normalCidr = (text: string): string | undefined => {
  const block = parseBlock(text)
  if (block === undefined) return undefined
  return block.bits === WIDTH[block.family] ? block.text : `${block.text}/${block.bits}`
}

/** Whether the text is a block with its mask (`1.2.3.4` alone is not). */
export const isCidrBlock = (text: string): boolean =>
  text.includes('/') && parseBlock(text) !== undefined

/** Whether `address` lies in one of the addresses or blocks. */
export const cidrsContain = (cidrs: readonly string[], address: string): boolean => {
  const host = parseAddress(address)
  if (host === undefined) return false
  return cidrs.some((cidr) => {
    const block = parseBlock(cidr)
    return block !== undefined && covers(block, host)
  })
}

/** The first of `inner` that no block of `outer` contains whole; undefined when all are contained. */
export const firstOutside = (
  inner: readonly string[],
  outer: readonly string[],
): string | undefined => {
  const blocks = outer.map(parseBlock)
  return inner.find((cidr) => {
    const block = parseBlock(cidr)
    return block === undefined || !blocks.some((one) => one !== undefined && covers(one, block))
  })
}
