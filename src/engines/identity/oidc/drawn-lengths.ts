/** Characters of generated client ids, client secrets (behind their prefix) and authorization codes. */
export const CLIENT_ID_LENGTH = { role: 26, client: 32 } as const
export const CLIENT_SECRET_LENGTH = 64
export const CODE_LENGTH = 32
