/** The next turn of the event loop: what came meanwhile goes first. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
