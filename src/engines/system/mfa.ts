import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { Json } from '../../std/json.ts'

/** Passcodes by method. Throws the recorded Refusal for anything but lists of texts. */
const answersOf = (
  payload: Readonly<Record<string, Json>>,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(payload).map(([method, sent]): [string, readonly string[]] => {
      if (!Array.isArray(sent) || !sent.every((one) => typeof one === 'string')) {
        throw invalid('invalid mfa payload')
      }
      return [method, sent as readonly string[]]
    }),
  )

/** `sys/mfa/validate`: the second half of a login that needs a second factor. The core makes the token. */
export const mfaRoutes = () => [
  route({
    path: 'mfa/validate',
    summary: 'Answer the second factor of a login, and get its token',
    fields: {
      mfa_request_id: field.string({ default: '', description: 'Id of the login that waits' }),
      mfa_payload: field.map({
        default: {},
        description: 'By id or name of a method, its passcode in a list; an empty list for a push',
      }),
    },
    public: true,
    verbs: {
      update: ({ input }): Result => {
        if (input.mfa_request_id === '') throw invalid('missing request ID')
        return {
          kind: 'second-factor',
          requestId: input.mfa_request_id,
          answers: answersOf(input.mfa_payload),
        }
      },
    },
  }),
]
