import { AuditFailed } from './audit-failed.ts'
import type { AuditAuth, AuditRequest, AuditResponse } from './entry.ts'
import type { EntryRenderer, MountedDevice } from './mounted-device.ts'
import {
  clearInRequest,
  clearInResponse,
  renderCommon,
  renderRequestEntry,
  renderResponseEntry,
  shownData,
} from './render-entry.ts'
import type { EntryForm, ResponseParts } from './render-entry.ts'

/** The two entries of one request. */
export interface AuditTrail {
  /** Before it runs. Resolves when a device took the entry or none is on; else rejects with AuditFailed: do not run it. */
  request(auth: AuditAuth | undefined, error?: string): Promise<void>
  /**
   * Before its answer leaves; `response` undefined where there is none. Rejects with AuditFailed: withhold the answer.
   * Give the same `auth` object as before where nothing has changed in it: what was written of it is used again.
   */
  response(
    auth: AuditAuth | undefined,
    response: AuditResponse | undefined,
    error?: string,
  ): Promise<void>
}

/** What a trail needs of its broker. */
export interface TrailHost {
  readonly mounted: readonly MountedDevice[]
  /** The time of an entry, as it is written. */
  time(): string
  note(mounted: MountedDevice, error?: unknown): void
  settle(failed: AuditFailed | undefined): void
}

interface Common {
  readonly mounted: MountedDevice
  readonly auth: AuditAuth | undefined
  readonly text: string
}

const DONE = Promise.resolve()

/** The trail of one request. */
export class Trail implements AuditTrail {
  readonly #host: TrailHost
  readonly #request: AuditRequest
  /** What the entries have in common, per device as each has its own salt. */
  #common: Common[] | undefined

  constructor(host: TrailHost, request: AuditRequest) {
    this.#host = host
    this.#request = request
  }

  request(auth: AuditAuth | undefined, error = ''): Promise<void> {
    if (this.#host.mounted.length === 0) return DONE
    const time = this.#host.time()
    return this.#write('request', (mounted) => {
      const common = this.#commonText(mounted, auth)
      return typeof common === 'string'
        ? renderRequestEntry(time, common, error)
        : common.then((text) => renderRequestEntry(time, text, error))
    })
  }

  response(
    auth: AuditAuth | undefined,
    response: AuditResponse | undefined,
    error = '',
  ): Promise<void> {
    if (this.#host.mounted.length === 0) return DONE
    const time = this.#host.time()
    const listing = this.#request.operation === 'list' || this.#request.operation === 'scan'
    return this.#write('response', (mounted) => {
      const common = this.#commonText(mounted, auth)
      const data = response && shownData(response, listing, mounted.form)
      const clear = clearInResponse(this.#request)
      const form = mounted.formFor(data, clear, mounted.form.itemsMax)
      const parts: ResponseParts = { request: this.#request, response, data, error }
      return typeof common === 'string' && !(form instanceof Promise)
        ? renderResponseEntry(form, time, common, parts)
        : Promise.all([form, common]).then(([ready, text]) =>
            renderResponseEntry(ready, time, text, parts),
          )
    })
  }

  #commonText(mounted: MountedDevice, auth: AuditAuth | undefined): string | Promise<string> {
    const known = this.#common?.find((common) => common.mounted === mounted && common.auth === auth)
    if (known !== undefined) return known.text
    const form = mounted.formFor(this.#request.data, clearInRequest(this.#request), Infinity)
    return form instanceof Promise
      ? form.then((ready) => this.#remember(mounted, auth, ready))
      : this.#remember(mounted, auth, form)
  }

  #remember(mounted: MountedDevice, auth: AuditAuth | undefined, form: EntryForm): string {
    const text = renderCommon(form, mounted.authText(auth), this.#request)
    this.#common ??= []
    this.#common.push({ mounted, auth, text })
    return text
  }

  #write(entry: 'request' | 'response', render: EntryRenderer): Promise<void> {
    const { mounted } = this.#host
    // The first that takes it is enough: a slow device does not hold up what another has.
    const taken =
      mounted.length === 1
        ? this.#attempt(mounted[0]!, render)
        : Promise.any(mounted.map((one) => this.#attempt(one, render)))
    return taken.then(
      () => this.#host.settle(undefined),
      (error: unknown) => {
        const failed = new AuditFailed(
          entry,
          error instanceof AggregateError ? error.errors : [error],
        )
        this.#host.settle(failed)
        throw failed
      },
    )
  }

  #attempt(mounted: MountedDevice, render: EntryRenderer): Promise<void> {
    return mounted.log(render).then(
      () => this.#host.note(mounted),
      (error: unknown) => {
        this.#host.note(mounted, error)
        throw error
      },
    )
  }
}
