import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { AddedDataset, Carrel } from '../../../sdk/index.ts'
import { parseTimeLimit } from '../arguments.ts'
import { missing, type ActionCall } from '../computers/action.ts'
import { pack } from '../copy/pack.ts'
import { printable } from '../printable.ts'
import { Progress } from '../progress.ts'
import { cloneRepository, isRepository, nameOfRepository } from './clone-repository.ts'

/** Adds a dataset. Resolves with 1 when a task was refused. */
export async function add(call: ActionCall, client: Carrel): Promise<number> {
  const [source] = call.operands
  if (source === undefined) throw missing(call, 'source')
  if (!isRepository(source)) return addLocal(call, client, source, nameOfFile(source))
  const folder = await mkdtemp(join(tmpdir(), 'carrel-dataset-'))
  try {
    const { path, branch } = call.values as { path?: string; branch?: string }
    const found = await cloneRepository(call.program, source, folder, { path, branch })
    return await addLocal(call, client, found, path === undefined ? nameOfRepository(source) : nameOfFile(path))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function addLocal(call: ActionCall, client: Carrel, source: string, byDefault: string): Promise<number> {
  const { program, values } = call
  const { name = byDefault, about, change } = values as { name?: string; about?: string; change?: string }
  const stats = await stat(source)
  const progress = new Progress(program, values, stats.isDirectory() ? undefined : stats.size)
  const chunks = stats.isDirectory() ? packed(source) : createReadStream(source, { highWaterMark: chunkBytes })
  const added = await client.datasets.add(name, progress.track(chunks), {
    description: about,
    versionDescription: change,
    requestTimeoutMs: parseTimeLimit(values.timeout) || undefined,
  })
  await print(call, added)
  return added.refused > 0 ? 1 : 0
}

const chunkBytes = 256 * 1024

/** Yields a folder as a compressed archive, without the data of git. */
function packed(folder: string): AsyncIterable<Uint8Array> {
  const archive = Readable.from(pack(resolve(folder), async () => {}, '.git'))
  const gzip = createGzip({ level: 1 })
  archive.on('error', (error) => gzip.destroy(error))
  return archive.pipe(gzip)
}

/** Returns the name of a dataset after a folder or a file. */
function nameOfFile(path: string): string {
  return basename(resolve(path)).replace(/\.(tar|tgz|tar\.gz|tar\.zst|jsonl|ndjson|parquet)$/, '')
}

async function print({ program, values }: ActionCall, added: AddedDataset): Promise<void> {
  if (values.json) return program.stdout.line(JSON.stringify(added))
  await program.stdout.line(summaryOf(added))
  for (const { task, reason } of added.reasons) await program.stderr.line(`${printable(task)}: ${printable(reason)}`)
  const unlisted = added.refused - added.reasons.length
  if (unlisted > 0) await program.stderr.line(`… and ${unlisted} others`)
}

function summaryOf({ name, added, changed, unchanged, refused }: AddedDataset): string {
  if (added + changed + refused === 0) return `${name} is as it was: ${unchanged} samples`
  const parts = [
    [added, 'added'],
    [changed, 'changed'],
    [unchanged, 'unchanged'],
    [refused, 'refused'],
  ].flatMap(([count, what]) => (count === 0 ? [] : `${count} ${what}`))
  return `${name}: ${parts.join(', ')}`
}
