/** Lets other requests run: between the pages of a long list, which comes from the store without a pause. */
export const breathe = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
