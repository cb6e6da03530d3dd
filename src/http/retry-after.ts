/** Who is refused for want of room may ask again after so long. */
export const retryAfterS = 2
