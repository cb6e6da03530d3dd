/** How many seconds a client that is refused for lack of capacity waits before it retries. */
export const retryAfterS = 2
