import type { Reply, Success } from '../core/reply.ts'
import type { AuthBlock, WrapInfo } from '../engine/result.ts'
import type { Json } from '../std/json.ts'
import { compareBytes } from '../std/json.ts'
import type { EnvelopeAuth, EnvelopeWrapInfo, SuccessParts } from './envelope.ts'
import {
  envelopePieces,
  envelopeText,
  renderError,
  renderNoContent,
  renderSuccess,
} from './envelope.ts'
import type { HttpAnswer } from './request.ts'

/** A login that waits for its second factor has no token to tell of. */
const waitingAuth = (requirement: Json): EnvelopeAuth => ({
  client_token: '',
  accessor: '',
  policies: null,
  token_policies: [],
  identity_policies: [],
  metadata: null,
  lease_duration: 0,
  renewable: false,
  entity_id: '',
  token_type: 'default',
  orphan: false,
  mfa_requirement: requirement,
  num_uses: 0,
})

const authOf = (auth: AuthBlock): EnvelopeAuth =>
  auth.mfaRequirement === undefined ? tokenAuth(auth) : waitingAuth(auth.mfaRequirement)

const tokenAuth = (auth: AuthBlock): EnvelopeAuth => ({
  client_token: auth.clientToken,
  accessor: auth.accessor,
  policies: [...new Set([...auth.tokenPolicies, ...auth.identityPolicies])].sort(compareBytes),
  token_policies: auth.tokenPolicies,
  identity_policies: auth.identityPolicies,
  metadata: auth.metadata,
  lease_duration: auth.leaseDurationSeconds,
  renewable: auth.renewable,
  entity_id: auth.entityId,
  token_type: auth.tokenType,
  orphan: auth.orphan,
  mfa_requirement: null,
  num_uses: auth.numUses,
})

const wrapInfoOf = (info: WrapInfo): EnvelopeWrapInfo => ({
  token: info.token,
  accessor: info.accessor,
  ttl: info.ttlSeconds,
  creation_time: new Date(info.createdAt).toISOString(),
  creation_path: info.creationPath,
  wrapped_accessor: info.wrappedAccessor,
})

const partsOf = (success: Success): SuccessParts => ({
  requestId: success.requestId,
  data: success.data,
  auth: success.auth === undefined ? undefined : authOf(success.auth),
  wrapInfo: success.wrapInfo === undefined ? undefined : wrapInfoOf(success.wrapInfo),
  warnings: success.warnings,
  ...(success.emptyWarnings === true ? { emptyWarnings: true } : {}),
  hints: success.hints,
  leaseDurationSeconds: success.leaseDurationSeconds,
  copyDataToTop: success.copyDataToTop,
  ...(success.status === undefined ? {} : { status: success.status }),
})

/** The JSON text of an answer's envelope, without a newline: what a wrapping token keeps. */
export const envelopeOf = (success: Success): string =>
  envelopeText({ ...partsOf(success), hints: undefined })

/** What the core answered, as HTTP has it. */
export const renderReply = (reply: Reply): HttpAnswer => {
  switch (reply.kind) {
    case 'success':
      return {
        ...renderSuccess(partsOf(reply)),
        ...(reply.headers && { headers: reply.headers }),
      }
    case 'none': {
      const answer = renderNoContent(reply.hints)
      return reply.headers === undefined
        ? answer
        : { ...answer, headers: { ...answer.headers, ...reply.headers } }
    }
    case 'raw':
      return {
        status: reply.status,
        contentType: reply.contentType,
        body: reply.body,
        headers: reply.headers,
      }
    case 'stream':
      return {
        status: 200,
        contentType: reply.contentType,
        body: undefined,
        stream:
          reply.envelope === undefined
            ? reply.body
            : envelopePieces({ ...partsOf(reply.envelope), newline: true }, reply.body),
        headers: reply.headers,
      }
    case 'error':
      return renderError(reply.status, reply.errors, {
        data: reply.data,
        hints: reply.hints,
        headers: reply.headers,
      })
  }
}
