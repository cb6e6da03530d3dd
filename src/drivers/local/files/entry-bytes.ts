/** Bytes that count for an entry of a page, besides its name, path and target. */
export const entryBytes = 100
