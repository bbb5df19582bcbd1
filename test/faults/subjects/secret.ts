import type { Client } from '../client.ts'
import { secretModel } from '../models.ts'
import type { SecretIn, SecretOut, SecretState } from '../models.ts'
import type { Observed, Subject } from '../subject.ts'
import { ModelSubject } from '../subject.ts'

/** Reads or writes a secret of KV v2. */
export const sendSecret = async (
  client: Client,
  path: string,
  input: SecretIn,
): Promise<Observed<SecretOut>> => {
  if (input.do === 'read') {
    const sent = await client.send({ path }, [200, 404])
    if (sent.kind !== 'answer') return sent.kind
    const { status, body } = sent.told
    if (status === 404) return { output: { version: 0 } }
    const { data, metadata } = body.data
    return { output: { version: metadata.version, value: data.value } }
  }
  const { value, cas } = input
  const options = cas === undefined ? undefined : { cas }
  const sent = await client.send({ path, body: { data: { value }, options } }, [200, 400])
  if (sent.kind !== 'answer') return sent.kind
  const { status, body } = sent.told
  return { output: status === 400 ? { refused: true } : { version: body.data.version } }
}

/** A secret of KV v2 under `secret/`, which must be mounted. */
export const secretSubject = (id: string): Subject => {
  let values = 0
  let guess = 0
  const path = `secret/data/${id}`
  const send = async (client: Client, input: SecretIn): Promise<Observed<SecretOut>> => {
    const observed = await sendSecret(client, path, input)
    if (typeof observed === 'object' && 'version' in observed.output) {
      if (observed.output.version > 0) guess = observed.output.version
    }
    return observed
  }
  return new ModelSubject<SecretState, SecretIn, SecretOut>({
    name: path,
    model: () => secretModel,
    draw: ({ random }) => {
      if (random.chance(0.4)) return { do: 'read' }
      const value = `${id}-${values++}`
      if (random.chance(0.3)) return { do: 'write', value }
      return { do: 'write', value, cas: guess }
    },
    reads: [{ do: 'read' }],
    send,
  })
}
