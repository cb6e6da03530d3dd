import {
  chmodSync,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, posix } from 'node:path'
import { once } from 'node:events'
import { limits } from '../../../../config/limits.ts'
import { Fields } from '../formats/fields.ts'
import { readHarborTask } from '../formats/harbor/read-harbor-task.ts'
import { readPlainTask } from '../formats/plain/read-plain-task.ts'
import type { ReadTask } from '../formats/read-task.ts'
import { tomlFields } from '../formats/settings-file.ts'
import { readRow } from '../formats/swe-bench/read-row.ts'
import { readSweBenchTask } from '../formats/swe-bench/read-swe-bench-task.ts'
import { rowsOfFile, type Row } from '../formats/swe-bench/rows-of-file.ts'
import { TaskFolder } from '../formats/task-folder.ts'
import { TaskProblem } from '../formats/task-problem.ts'
import { readTerminalBenchTask } from '../formats/terminal-bench/read-terminal-bench-task.ts'
import { contentHash, entriesOf, type TreeEntry } from './content-hash.ts'
import { findTasks, type FoundTask } from './find-tasks.ts'
import { openUpload } from './open-upload.ts'
import type { UnpackBounds } from './unpack.ts'
import { writePublicArchive } from './write-public-archive.ts'
import type { ReadSample, RefusedTask, UploadReport } from './upload-report.ts'

export interface UploadJob {
  /** What was uploaded. */
  file: string
  /** A folder of this upload alone, on the file system of `versions`. */
  staging: string
  /** The folder of all versions. */
  versions: string
  /** Where the samples that were read are written, a line of JSON each. */
  samples: string
  /** The name of the dataset, for a single task whose archive does not name it. */
  name: string
  bounds: UnpackBounds
}

const readers = {
  plain: readPlainTask,
  harbor: readHarborTask,
  'terminal-bench': readTerminalBenchTask,
  'swe-bench': readSweBenchTask,
}

/**
 * Reads the tasks of an upload, and keeps the files of each as a version, named after its content, with the archive of
 * what an agent may see beside it. Returns what was refused, with the reasons. Throws a `TaskProblem` for an upload that
 * is no dataset. Runs in a thread of its own, which may wait for the disk.
 */
export async function readUpload(job: UploadJob): Promise<UploadReport> {
  const tree = join(job.staging, 'tree')
  await openUpload(job.file, tree, job.bounds)
  const { root, name } = rootOf(tree)
  const upload = new Upload(job)
  for (const found of findTasks(root)) {
    if (found.kind === 'folder') await upload.addFolder(found, name)
    else await upload.addRows(found)
  }
  return upload.finish(root)
}

/** Returns the folder that an archive consists of, if it has only one, with its name. */
function rootOf(tree: string): { root: string; name: string } {
  const names = new TaskFolder(tree, '').names().filter((name) => !name.startsWith('.'))
  const only = names.length === 1 ? join(tree, names[0]!) : undefined
  return only && lstatSync(only).isDirectory() ? { root: only, name: names[0]! } : { root: tree, name: '' }
}

class Upload {
  readonly #job: UploadJob
  readonly #samples: ReturnType<typeof createWriteStream>
  readonly #refused: RefusedTask[] = []
  readonly #places = new Map<string, string>()
  #refusals = 0

  constructor(job: UploadJob) {
    this.#job = job
    this.#samples = createWriteStream(job.samples, { flags: 'wx', mode: 0o600 })
  }

  async addFolder({ format, folder, place }: Extract<FoundTask, { kind: 'folder' }>, rootName: string): Promise<void> {
    const name = folder.name || rootName || this.#job.name
    await this.#add(place || name, name, async () => {
      const read = readers[format](new TaskFolder(folder.path, name))
      return this.#keep(folder.path, read)
    })
  }

  async addRows({ file, place }: Extract<FoundTask, { kind: 'rows' }>): Promise<void> {
    try {
      for await (const row of rowsOfFile(file, basename(place))) await this.#addRow(row, place)
    } catch (error) {
      this.#refuse(place, error)
    }
  }

  async finish(root: string): Promise<UploadReport> {
    this.#samples.end()
    await once(this.#samples, 'close')
    if (this.#places.size === 0 && this.#refusals === 0)
      throw new TaskProblem(
        'has no task: a task is a folder with task.toml, task.yaml or sample.toml, or a row of a .jsonl or .parquet file',
      )
    return {
      description: descriptionIn(root),
      count: this.#places.size,
      refused: this.#refused,
      refusals: this.#refusals,
    }
  }

  async #addRow({ line, values }: Row, place: string): Promise<void> {
    const raw =
      typeof values === 'object' && values !== null ? (values as Record<string, unknown>)['instance_id'] : undefined
    const where = `${place}:${line}`
    await this.#add(where, typeof raw === 'string' ? raw : '', async () => {
      const task = readRow(new Fields(where, values))
      const folder = join(this.#job.staging, 'row')
      mkdirSync(folder)
      writeFileSync(join(folder, 'row.json'), `${JSON.stringify(sorted(values as object))}\n`, { mode: 0o444 })
      try {
        return await this.#keep(folder, { task, isVisible: () => false })
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }

  async #add(place: string, sampleId: string, read: () => Promise<Omit<ReadSample, 'sampleId'>>): Promise<void> {
    try {
      if (!/^[A-Za-z0-9][A-Za-z0-9._+@-]{0,199}$/.test(sampleId))
        throw new TaskProblem(
          `its name ${JSON.stringify(sampleId.slice(0, 200))} cannot be part of an address: use letters, digits and . _ + @ -, at most 200`,
        )
      const other = this.#places.get(sampleId)
      if (other !== undefined) throw new TaskProblem(`has the same name as ${other}: "${sampleId}"`)
      if (this.#places.size >= limits.samplesPerDataset)
        throw new TaskProblem(`is one of more than ${limits.samplesPerDataset} tasks`)
      const sample: ReadSample = { sampleId, ...(await read()) }
      const line = `${JSON.stringify(sample)}\n`
      if (Buffer.byteLength(line) > limits.taskBytes)
        throw new TaskProblem(`its texts are longer than ${limits.taskBytes / 1024 ** 2} MiB together`)
      this.#places.set(sampleId, place)
      if (!this.#samples.write(line)) await once(this.#samples, 'drain')
    } catch (error) {
      this.#refuse(place, error)
    }
  }

  /** Keeps the files of a task as a version, unless they are there, and moves them away from the folder if so. */
  async #keep(folder: string, read: ReadTask): Promise<Omit<ReadSample, 'sampleId'>> {
    const entries = entriesOf(folder)
    refuseOutwardLinks(folder, entries)
    const hash = contentHash(folder, entries)
    const [directory, archive] = [join(this.#job.versions, hash), join(this.#job.versions, `${hash}.tar.gz`)]
    if (!existsSync(archive)) {
      const made = join(this.#job.staging, 'public.tar.gz')
      rmSync(made, { force: true })
      await writePublicArchive(made, folder, read, entries)
      renameSync(made, archive)
    }
    if (!existsSync(directory)) {
      for (const { path, kind } of entries) if (kind === 'folder') chmodSync(join(folder, path), 0o555)
      renameSync(folder, directory)
      chmodSync(directory, 0o555)
    }
    return { contentHash: hash, archiveBytes: statSync(archive).size, task: read.task }
  }

  #refuse(place: string, error: unknown): void {
    if (!(error instanceof TaskProblem)) throw error
    this.#refusals += 1
    if (this.#refused.length < limits.refusedTasksListed)
      this.#refused.push({ task: place, reason: error.message.slice(0, 1000) })
  }
}

/** Refuses a link that leads out of its task: behind it could be another task's tests. */
function refuseOutwardLinks(folder: string, entries: readonly TreeEntry[]): void {
  for (const { path, kind } of entries) {
    if (kind !== 'link') continue
    const leadsTo = posix.normalize(posix.join(posix.dirname(path), readlinkSync(join(folder, path))))
    if (leadsTo === '..' || leadsTo.startsWith('../'))
      throw new TaskProblem('is a link that leads out of the task', { file: path })
  }
}

/** Returns the description in `dataset.toml`; '' without one. */
function descriptionIn(root: string): string {
  const folder = new TaskFolder(root, '')
  if (!folder.has('dataset.toml')) return ''
  return (tomlFields(folder, 'dataset.toml').text('description') ?? '').slice(0, 1000)
}

/** Returns a row with its columns in the order of their names, so that their order makes no new version. */
function sorted(row: object): object {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
