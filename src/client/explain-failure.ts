import { TransportError } from './api-error.ts'

/** Node's code of an error (`ECONNREFUSED` …). */
export const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : 'ERR_UNKNOWN'

const certificateCodes: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Why there was no answer, and what to type: not what the library said (product.md 1.1, 1). */
export const explainFailure = (error: Error, address: string): TransportError =>
  new TransportError(textOf(error, codeOf(error), address), codeOf(error))

const textOf = (error: Error, code: string, address: string): string => {
  const plain = address.replace(/^https:/, 'http:')
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    const advice = address.startsWith('https:')
      ? `start one with "npm start"; a development server speaks http: export VAULT_ADDR='${plain}'`
      : `start one with "npm start", or point VAULT_ADDR at the one you mean`
    return `No server at ${address}: connection refused; ${advice}`
  }
  if (certificateCodes.has(code)) {
    // Of the library's text the first sentence is about the certificate, the rest about the library.
    const why = error.message.split(';')[0]
    return `The certificate of ${address} is not trusted: ${why}; name its CA with -ca-cert (VAULT_CACERT)`
  }
  if (
    code === 'EPROTO' ||
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code.includes('PACKET_LENGTH')
  ) {
    return (
      `the server at ${address} gave an HTTP response to an HTTPS client; ` +
      `it speaks http: export VAULT_ADDR='${plain}'`
    )
  }
  if (code.startsWith('HPE_') || (code === 'ECONNRESET' && address.startsWith('http:'))) {
    return (
      `the server at ${address} did not answer in HTTP (${code}); ` +
      `if it speaks TLS: export VAULT_ADDR='${address.replace(/^http:/, 'https:')}'`
    )
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `No server at ${address}: the name cannot be resolved`
  }
  if (code === 'ETIMEDOUT') return `No answer from ${address} in time`
  return `No answer from ${address}: ${error.message}`
}
