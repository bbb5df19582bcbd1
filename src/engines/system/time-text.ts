/** A time in ms as the reference writes it: RFC 3339 in UTC, without trailing zeros of the second. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z')
