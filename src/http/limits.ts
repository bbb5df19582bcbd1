/** Bounds of the HTTP side, each with its reason. A listener may override some (spec/sys.md 9). */
export interface HttpLimits {
  readonly headerBytes: number
  readonly bodyBytes: number
  readonly jsonMemoryBytes: number
  readonly jsonStrings: number
  readonly jsonDepth: number
  readonly trailerBytes: number
  readonly headerMs: number
  readonly bodyMs: number
  readonly idleMs: number
  readonly writeMs: number
  readonly lingerMs: number
  readonly lingerBytes: number
  readonly connections: number
  readonly sweepMs: number
}

export const httpLimits: HttpLimits = {
  /** Request line and headers: paths of 10 kB names and a JWT of 16 kB fit; a flood does not. */
  headerBytes: 64 * 1024,
  /** As recorded (`max_request_size`). */
  bodyBytes: 33_554_432,
  /** As recorded (`max_request_json_memory`, `max_request_json_strings`). */
  jsonMemoryBytes: 34_078_720,
  jsonStrings: 1_000,
  /** What walks over input recurses; a recorded body is 2,001 deep, and the stack holds several times this. */
  jsonDepth: 2_500,
  /** Chunk extensions and trailers of one message: nothing here reads them. */
  trailerBytes: 16 * 1024,
  /** From a request's first byte to the end of its headers (`http_read_header_timeout`): ends slow-loris clients. */
  headerMs: 10_000,
  /** From the end of the headers to the end of the body (`http_read_timeout`). */
  bodyMs: 30_000,
  /** A kept-alive connection that asks nothing (`http_idle_timeout`). */
  idleMs: 300_000,
  /** A client that does not take its answer. */
  writeMs: 60_000,
  /** After a refusal that closes, what the client still sends is read this long, so that it sees the answer. */
  lingerMs: 5_000,
  lingerBytes: 128 * 1024 * 1024,
  /** Open connections of one process: each costs a descriptor and some 5 kB. */
  connections: 10_000,
  /** How often deadlines are looked at; they are that much late at most. */
  sweepMs: 500,
}
