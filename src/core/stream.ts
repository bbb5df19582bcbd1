import type { Reply } from './reply.ts'
import { errorReply } from './reply.ts'
import type { Trail } from './trail.ts'

type StreamReply = Reply & { readonly kind: 'stream' }

/**
 * The stream with its audit entry: written once, when all is made and before the end is sent, so that a body that no device
 * took note of does not look whole; or as broken off. That it began stands in the request's entry, before its first byte.
 */
export const auditedStream = (reply: StreamReply, trail: Trail): StreamReply => ({
  ...reply,
  body: {
    [Symbol.asyncIterator]: () => {
      const pieces = reply.body[Symbol.asyncIterator]()
      let noted = false
      const note = async (what: Reply): Promise<void> => {
        if (noted) return
        noted = true
        await trail.response(what)
      }
      const brokenOff = (): Promise<void> => note(errorReply(500, ['the answer was broken off']))
      return {
        next: async () => {
          try {
            const step = await pieces.next()
            if (step.done === true) await note(reply)
            return step
          } catch (error) {
            await brokenOff()
            throw error
          }
        },
        return: async () => {
          await pieces.return?.()
          await brokenOff()
          return { done: true, value: undefined }
        },
      }
    },
  },
})
