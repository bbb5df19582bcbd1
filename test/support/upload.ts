import { request } from 'node:http'
import type { Told } from './ask.ts'

/** Sends bytes as the body of a request, over a connection of its own; `cut`: breaks off after so many. */
export const upload = (
  base: string,
  path: string,
  token: string,
  bytes: Uint8Array,
  cut?: number,
): Promise<Told> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `${base}/v1/${path}`,
      {
        agent: false,
        method: 'PUT',
        headers: { 'X-Vault-Token': token, 'Content-Length': bytes.length },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const body: unknown = text === '' ? undefined : JSON.parse(text)
          resolve({ status: incoming.statusCode ?? 0, body })
        })
      },
    )
    sent.on('error', reject)
    if (cut === undefined) sent.end(bytes)
    else sent.write(bytes.subarray(0, cut), () => setTimeout(() => sent.destroy(), 50))
  })

/** Takes a snapshot. */
export const download = async (base: string, token: string): Promise<Buffer> => {
  const answer = await fetch(`${base}/v1/sys/storage/snapshot`, {
    headers: { 'X-Vault-Token': token },
  })
  if (answer.status !== 200) throw new Error(`no snapshot: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}
