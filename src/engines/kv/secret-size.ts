import { Refusal } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import type { JsonObject } from '../../std/json.ts'
import { stringifyJson } from '../../std/json.ts'

/** Throws 413 for data that one commit cannot hold. */
export const checkSecretSize = (data: JsonObject | null): void => {
  const bytes = Buffer.byteLength(stringifyJson(data))
  if (bytes > limits.secretBytes) {
    throw new Refusal(
      'too-large',
      `the data of the secret has ${bytes} bytes as JSON; at most ${limits.secretBytes} are stored`,
    )
  }
}
