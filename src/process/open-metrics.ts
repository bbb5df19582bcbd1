import type { MetricsPort } from '../engine/ports/metrics.ts'
import { metricsAnswer } from '../engines/system/metrics.ts'
import type { HttpAnswer, HttpRequest } from '../http/request.ts'

type Handle = (request: HttpRequest) => Promise<HttpAnswer>

/** Answers `sys/metrics` without a token, sealed or not, where a listener allows it (`unauthenticated_metrics_access`). */
export const withOpenMetrics = (open: boolean, metrics: MetricsPort, handle: Handle): Handle =>
  open
    ? async (request) => {
        if (request.path !== 'sys/metrics' || request.operation !== 'read') return handle(request)
        const { status, contentType, body } = await metricsAnswer(metrics, formatIn(request))
        return { status, contentType, body }
      }
    : handle

const formatIn = ({ data }: HttpRequest): string => {
  const format = data !== undefined && Object.hasOwn(data, 'format') ? data['format'] : ''
  return typeof format === 'string' ? format : JSON.stringify(format)
}
