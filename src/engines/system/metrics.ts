import { field } from '../../engine/field.ts'
import type { MetricsPort } from '../../engine/ports/metrics.ts'
import type { RawResult } from '../../engine/result.ts'
import { raw } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'

/** What `sys/metrics` answers for a format; '' is the usual one. */
export const metricsAnswer = async (metrics: MetricsPort, format: string): Promise<RawResult> => {
  if (format !== '' && format !== 'prometheus') {
    return raw(400, `metric response format "${format}" unknown`, 'text/plain')
  }
  const { contentType, body } = await metrics.tell(format === '' ? 'json' : format)
  return raw(200, body, contentType)
}

/** `sys/metrics`: what all processes of this server have measured. */
export const metricsRoute = ({ metrics }: Pick<SystemOptions, 'metrics'>) =>
  route({
    path: 'metrics',
    summary: 'Tell what was measured: requests, logins, tokens, the store, audit, memory',
    fields: {
      format: field.string({
        default: '',
        description: '`prometheus` for its text format; else JSON',
      }),
    },
    verbs: { read: ({ input }) => metricsAnswer(metrics, input.format) },
  })
