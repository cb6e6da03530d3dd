import type { Kysely } from 'kysely'
import { posix } from 'node:path'

interface Tables {
  memory_files: { account_id: string; path: string; modified_at: number }
}

/**
 * Gives every memory file the one name that its path has since: `/a/x`, `a//x` and `a/x` were three files. Of files that
 * get the same name, the newest has it, and the others keep their content as `a/x~2`, `a/x~3` and so on.
 */
export async function up(anyDb: Kysely<unknown>): Promise<void> {
  const db = anyDb as Kysely<Tables>
  const accounts = await db
    .selectFrom('memory_files')
    .select('account_id')
    .distinct()
    .where((eb) => eb.or(odd.map((pattern) => eb('path', 'like', pattern))))
    .execute()
  for (const { account_id } of accounts) await renameFiles(db, account_id)
}

/** What only paths with another name match, and some with their own, such as `.hidden`. */
const odd = ['/%', '%/', '%//%', '.%', '%/.%']

async function renameFiles(db: Kysely<Tables>, accountId: string): Promise<void> {
  const files = await db
    .selectFrom('memory_files')
    .select(['path', 'modified_at'])
    .where('account_id', '=', accountId)
    .execute()
  const byName = Map.groupBy(files, ({ path }) => nameOf(path))
  const taken = new Set(byName.keys())
  for (const [name, same] of byName) {
    const [newest, ...others] = same
      .toSorted((a, b) => Number(b.modified_at) - Number(a.modified_at))
      .map(({ path }) => path)
    // The names that they leave are free for the newest, and those that they get are nobody's.
    let count = 1
    for (const path of others) {
      let free: string
      do free = numbered(name, ++count)
      while (taken.has(free))
      taken.add(free)
      await rename(db, accountId, path, free)
    }
    if (newest !== name) await rename(db, accountId, newest!, name)
  }
}

async function rename(db: Kysely<Tables>, account_id: string, path: string, name: string): Promise<void> {
  await db
    .updateTable('memory_files')
    .set({ path: name })
    .where('account_id', '=', account_id)
    .where('path', '=', path)
    .execute()
}

function nameOf(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/|\/$/g, '') || 'unnamed'
}

/** Returns a name with a number after it, within the 512 characters of a path. */
function numbered(name: string, number: number): string {
  const end = `~${number}`
  const start = name.slice(0, 512 - end.length)
  return (start.isWellFormed() ? start : start.slice(0, -1)) + end
}
