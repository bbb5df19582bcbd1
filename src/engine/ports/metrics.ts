/** The forms in which measurements are told. */
export type MetricsFormat = 'json' | 'prometheus'

/** What was measured in all processes of this server. */
export interface MetricsPort {
  /** As a body of its own. */
  tell(format: MetricsFormat): Promise<{ readonly contentType: string; readonly body: string }>
}
