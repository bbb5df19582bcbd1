import { getSystemErrorMessage } from 'node:util'

/** Why something failed, for operators: system errors in the words `open /x: permission denied`, others by their message. */
export const failureText = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // A name with several addresses: each was tried, and none says more than the first.
  if (error instanceof AggregateError && error.errors.length > 0)
    return failureText(error.errors[0])
  const { errno, syscall, path } = error as NodeJS.ErrnoException
  if (typeof errno !== 'number' || syscall === undefined) return error.message
  const where = path === undefined ? syscall : `${syscall} ${path}`
  return `${where}: ${getSystemErrorMessage(errno) ?? error.message}`
}
