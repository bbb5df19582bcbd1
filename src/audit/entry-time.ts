/** Ms since 1970 in RFC 3339, UTC, with the fraction cut as Go's RFC3339Nano does: `2026-01-02T03:04:05.6Z`. */
export const nanoTime = (ms: number): string => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')

/** Ms since 1970 in RFC 3339, UTC, whole seconds. */
export const secondTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
