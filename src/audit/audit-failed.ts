/** No device took an entry: the request must not run, or its answer must not leave (spec/sys.md 6.5). A fault: 500. */
export class AuditFailed extends Error {
  override readonly name = 'AuditFailed'
  /** Which of a request's two entries. */
  readonly entry: 'request' | 'response'

  constructor(entry: 'request' | 'response', causes: readonly unknown[]) {
    super(`no audit device succeeded in logging the ${entry}`, {
      cause: causes.length === 1 ? causes[0] : new AggregateError(causes),
    })
    this.entry = entry
  }
}
