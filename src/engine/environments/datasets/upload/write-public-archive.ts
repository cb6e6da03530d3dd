import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { endOfArchive, headerOf, padding } from '../../../../tar/tar-records.ts'
import type { Task } from '../../task.ts'
import type { ReadTask } from '../formats/read-task.ts'
import type { TreeEntry } from './content-hash.ts'

/**
 * Writes what an agent may see of a task, as a compressed tar archive: its files that the format shows, the instruction,
 * and `sample.json` with what is said of its repository. Tests, solution, patches and the names of tests are not in it.
 * The same task gives the same bytes.
 */
export async function writePublicArchive(
  target: string,
  directory: string,
  { task, isVisible }: ReadTask,
  entries: readonly TreeEntry[],
): Promise<void> {
  const visible = entries.filter(({ path }) => isVisible(path) && !ownNames.has(path))
  await pipeline(
    () => archive(directory, task, visible),
    createGzip(),
    createWriteStream(target, { flags: 'wx', mode: 0o444 }),
  )
}

const ownNames: ReadonlySet<string> = new Set(['instruction.md', 'sample.json'])

async function* archive(directory: string, task: Task, entries: readonly TreeEntry[]): AsyncGenerator<Buffer> {
  yield* textFile('instruction.md', task.problemStatement)
  yield* textFile('sample.json', `${JSON.stringify(facts(task), undefined, 2)}\n`)
  for (const { path: name, kind, isExecutable } of entries) {
    const path = Buffer.from(name)
    const base = { path, mtime: new Date(0), mode: kind === 'folder' || isExecutable ? 0o755 : 0o644, size: 0 }
    const source = join(directory, name)
    if (kind === 'folder') yield headerOf({ ...base, type: 'Directory' })
    else if (kind === 'link')
      yield headerOf({ ...base, type: 'SymbolicLink', target: Buffer.from(await readlink(source)) })
    else {
      const { size } = await lstat(source)
      yield headerOf({ ...base, type: 'File', size })
      yield* createReadStream(source) as AsyncIterable<Buffer>
      yield padding(size)
    }
  }
  yield endOfArchive
}

function* textFile(name: string, text: string): Generator<Buffer> {
  const content = Buffer.from(text)
  yield headerOf({ type: 'File', path: Buffer.from(name), mode: 0o644, mtime: new Date(0), size: content.length })
  yield content
  yield padding(content.length)
}

function facts({
  format,
  description,
  problemStatement,
  repo,
  language,
  baseCommit,
  environmentSetupCommit,
  environment,
}: Task) {
  return {
    format,
    description,
    problem_statement: problemStatement,
    repo,
    language,
    base_commit: baseCommit,
    environment_setup_commit: environmentSetupCommit,
    workdir: environment.workdir,
  }
}
