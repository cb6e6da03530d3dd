import type { ComputerFiles, SearchQuery, SearchResult } from '../../../drivers/driver.ts'
import { limits } from '../../../config/limits.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'

type Query = Pick<SearchQuery, 'pattern' | 'isRegex' | 'ignoresCase' | 'signal'> & { maxMatches?: number | undefined }

/**
 * Searches files as `ComputerFiles.search` does, within bounds of matches, bytes and time. Searches of an account wait
 * for each other, and accounts take turns. Throws `limit_reached` or `no_capacity` when too many wait.
 */
export function searchFiles(
  { searches }: Pick<ComputersContext, 'searches'>,
  { accountId }: AccessibleComputer<'files'>,
  files: ComputerFiles,
  path: string,
  { maxMatches = limits.searchMatches, ...query }: Query,
): Promise<SearchResult> {
  const bounds = { maxMatches, maxBytes: limits.searchBytes, timeoutMs: limits.searchMs }
  return searches.run(accountId, () => files.search(path, { ...query, ...bounds }))
}
