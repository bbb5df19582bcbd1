import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer, ChildReport, Order } from './child.ts'

/** A bare `node:http` server that gives every request the answer it was told last, once it has read the request's body. */
let answer: Answer = { status: 200, headers: [], body: '' }

const server = createServer((request, response) => {
  const reply = (): void => {
    response.writeHead(answer.status, [...answer.headers])
    response.end(answer.body)
  }
  if (request.method === 'GET') {
    reply()
    return
  }
  request.on('data', () => {})
  request.on('end', reply)
})

const report = (): ChildReport => {
  const { user, system } = process.cpuUsage()
  return { cpuMicroseconds: user + system }
}

process.on('message', (order: Order) => {
  if (order.kind === 'answer') answer = order.answer
  process.send?.({ id: order.id, value: order.kind === 'report' ? report() : undefined })
  if (order.kind === 'stop') {
    server.closeAllConnections()
    server.close()
    process.disconnect?.()
  }
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
