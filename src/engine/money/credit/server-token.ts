/** By whom the server itself has something done: it is neither refused nor charged. */
export const serverTokenId = 'server'
