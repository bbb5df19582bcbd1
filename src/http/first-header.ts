import type { HttpHeaders } from './request.ts'

/** The value of a header that is sent once; of one sent several times the first. */
export const firstHeader = (headers: HttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' || value === undefined ? value : value[0]
}
