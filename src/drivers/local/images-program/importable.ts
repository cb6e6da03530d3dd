import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { BuildProgress } from '../../driver.ts'
import { ProgramFailure, runProgram } from '../images/program.ts'
import { CarrelError } from '../../../errors.ts'

/** A source of an image as skopeo takes it, which is deleted when it is disposed of, if it was made for this. */
export interface Importable extends AsyncDisposable {
  reference: string
}

/**
 * Returns what an operator names as an image: a reference of skopeo (`docker://…`), the file of an archive (OCI or
 * Docker, by what is in it), the folder of an OCI layout, or a folder with a Dockerfile, which buildah builds. Throws
 * `invalid_request` for anything else, and when the build fails.
 */
export async function importable(source: string, progress: (step: BuildProgress) => void): Promise<Importable> {
  const keep = { [Symbol.asyncDispose]: async () => {} }
  if (/^[a-z-]+:/.test(source)) return { reference: source, ...keep }
  const path = resolve(source)
  const stats = await stat(path).catch(() => undefined)
  if (stats?.isFile()) return { reference: `${await archiveKind(path)}:${path}`, ...keep }
  if (!stats?.isDirectory())
    throw refused(source, `there is no such file or folder; for an image of a registry write docker://${source}`)
  if (await exists(join(path, 'oci-layout'))) return { reference: `oci:${path}`, ...keep }
  for (const name of ['Containerfile', 'Dockerfile'])
    if (await exists(join(path, name))) return build(path, name, progress)
  throw refused(source, 'the folder has neither a Dockerfile nor an OCI layout')
}

/** Builds a Dockerfile into an archive, with buildah's own storage in a folder that is deleted. */
async function build(folder: string, file: string, progress: (step: BuildProgress) => void): Promise<Importable> {
  const work = await mkdtemp(join(tmpdir(), 'carrel-build-'))
  const dispose = () => rm(work, { recursive: true, force: true })
  const name =
    basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]+/g, '-') || 'image'
  const archive = join(work, `${name}.tar`)
  const storage = ['--root', join(work, 'storage'), '--runroot', join(work, 'run'), '--storage-driver', 'vfs']
  const tag = `carrel-${randomUUID()}`
  const onLine = (line: string) => {
    if (line.startsWith('STEP ')) progress({ step: line.slice(0, 100) })
  }
  try {
    progress({ step: 'Building' })
    const isolation = ['--isolation', 'chroot']
    await runProgram(
      ['buildah', ...storage, 'build', ...isolation, '--file', join(folder, file), '--tag', tag, folder],
      { onLine },
    )
    await runProgram(['buildah', ...storage, 'push', tag, `oci-archive:${archive}`])
    await rm(join(work, 'storage'), { recursive: true, force: true })
    return { reference: `oci-archive:${archive}`, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    if (!(error instanceof ProgramFailure)) throw error
    throw refused(folder, error.lines.at(-1) ?? error.message)
  }
}

/** Returns the transport of an archive: that of Docker has a manifest.json, that of OCI an oci-layout. */
async function archiveKind(path: string): Promise<'oci-archive' | 'docker-archive'> {
  const names = new Set<string>()
  try {
    await runProgram(['tar', '--list', '--file', path], { onLine: (line) => addMark(names, line) })
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error
    throw refused(path, 'it is not an archive')
  }
  if (names.has('oci-layout')) return 'oci-archive'
  if (names.has('manifest.json')) return 'docker-archive'
  throw refused(path, 'the archive holds no image; save one with "docker save" or "podman save"')
}

function addMark(names: Set<string>, line: string): void {
  const name = line.replace(/^\.\//, '')
  if (name === 'oci-layout' || name === 'manifest.json') names.add(name)
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

function refused(source: string, reason: string): CarrelError {
  return new CarrelError('invalid_request', `Cannot import "${source}": ${reason}`)
}
