import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/**
 * What a proxy does with a piece of bytes: pass it on; cut both sides instead; pass it on and cut the client off; or cut
 * the client off and keep the bytes, which reach the server at `release`.
 */
export type Verdict = 'pass' | 'cut' | 'pass-then-cut' | 'hold'

/** A TCP proxy that a test can hurt. */
export interface CuttingProxy {
  readonly port: number
  /** Judges each piece of bytes; passes all if not set. */
  judge: (from: 'client' | 'server', bytes: Uint8Array) => Verdict
  /** While false nobody gets in. */
  open: boolean
  /** Hands over what was held; resolves when the server has dealt with it and hung up. */
  release(): Promise<void>
  /** Cuts every connection. */
  cutAll(): void
  stop(): Promise<void>
}

/** Starts a proxy on a free port of 127.0.0.1. */
export const startCuttingProxy = async (target: {
  readonly host: string
  readonly port: number
}): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>()
  const held: (() => Promise<unknown>)[] = []
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const join = (client: Socket): void => {
    keep(client)
    if (!proxy.open) return void client.destroy()
    const server = connect(target.port, target.host)
    keep(server)
    let holding = false
    client.on('data', (bytes: Buffer) => {
      const verdict = proxy.judge('client', bytes)
      if (verdict === 'hold') {
        holding = true
        held.push(() => {
          server.end(bytes)
          return once(server, 'close')
        })
      } else if (verdict !== 'cut') server.write(bytes)
      if (verdict !== 'pass') client.destroy()
    })
    server.on('data', (bytes: Buffer) => {
      const verdict = proxy.judge('server', bytes)
      if (verdict === 'pass' || verdict === 'pass-then-cut') client.write(bytes)
      if (verdict === 'pass-then-cut') client.end()
      else if (verdict !== 'pass') client.destroy()
    })
    // The server still gets what was on its way before it hears that the client is gone.
    client.on('close', () => {
      if (!holding) server.end()
    })
    server.on('close', () => client.destroy())
  }
  const listener = createServer(join).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const proxy: CuttingProxy = {
    port: (listener.address() as AddressInfo).port,
    judge: () => 'pass',
    open: true,
    release: async () => {
      await Promise.all(held.splice(0).map((pass) => pass()))
    },
    cutAll: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: async () => {
      proxy.cutAll()
      const over = once(listener, 'close')
      listener.close()
      await over
    },
  }
  return proxy
}
