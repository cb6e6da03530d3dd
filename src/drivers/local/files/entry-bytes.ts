/** What an entry of a directory has in a page beside its name, path and target. */
export const entryBytes = 100
