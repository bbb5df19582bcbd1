/** A time as the API shows it: RFC 3339 in UTC, trailing zeros of the fraction trimmed (identity.md 1.1). `now` in ms. */
export const writtenTime = (now: number): string =>
  new Date(now).toISOString().replace(/\.?0*Z$/, 'Z')
