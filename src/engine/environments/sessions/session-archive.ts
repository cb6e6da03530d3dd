import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { connectProcess, type ServingProcess } from '../../computers/processes/connect-process.ts'
import { environment } from '../../computers/processes/environment.ts'
import type { EnvironmentsContext } from '../environments.ts'
import type { OpenSession } from './find-session.ts'

/**
 * Unpacks a tar into a directory of a session, which is made where it is missing: what is in the archive is added to what is
 * there, with its modes. The session's own tar does it, as root, so that nothing in the archive leads out of the computer.
 * Throws `invalid_request` for an archive that is damaged, and `not_found` where the image has no tar.
 */
export async function unpackInto(
  engine: EnvironmentsContext,
  session: OpenSession,
  directory: string,
  archive: Readable,
): Promise<void> {
  await engine.driver.files(session.computer.id).makeDirectory(directory)
  const tar = await startTar(engine, session, ['-xopf', '-', '-C', directory])
  tar.stdout.resume()
  // A tar that has failed reads no further; its exit says so.
  const sent = pipeline(archive, tar.stdin).catch((error: unknown) => error)
  const exit = await tar.process.wait()
  if (!archive.readableEnded) archive.destroy()
  await sent
  if (archive.errored) throw new CarrelError('invalid_request', 'Cannot unpack the archive: its body was cut off')
  if (exit.exitCode === 0) return
  const why = exit.reason === 'timeout' ? 'it took too long' : 'it is damaged, or has what cannot be made there'
  throw new CarrelError('invalid_request', `Cannot unpack the archive: ${why}`, { details: { field: 'path' } })
}

/** Returns an entry of a session as a tar: what is in a directory, or a file by its name. The stream fails when tar does. */
export async function packed(
  engine: EnvironmentsContext,
  session: OpenSession,
  path: string,
  isDirectory: boolean,
): Promise<Readable> {
  const entry = isDirectory ? ['-C', path, '.'] : ['-C', posix.dirname(path), '--', posix.basename(path)]
  const tar = await startTar(engine, session, ['-cf', '-', ...entry])
  tar.stdin.end()
  return Readable.from(outputOf(tar), { objectMode: false })
}

async function* outputOf({ stdout, process, end }: ServingProcess): AsyncGenerator<Buffer> {
  try {
    yield* stdout as AsyncIterable<Buffer>
    const { exitCode } = await process.wait()
    // 1: a file was changed while it was read.
    if (exitCode === null || exitCode > 1) throw new CarrelError('conflict', 'Cannot pack the files: tar failed')
  } finally {
    end()
  }
}

function startTar(engine: EnvironmentsContext, { computer }: OpenSession, argv: string[]): Promise<ServingProcess> {
  return connectProcess(engine, computer, {
    kind: 'archive',
    argv: ['tar', ...argv],
    env: environment(computer.image.env, undefined),
    cwd: '/',
    user: '0:0',
    timeoutMs: limits.sessionArchiveMs,
  })
}
