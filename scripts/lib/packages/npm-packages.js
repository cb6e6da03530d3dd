import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureNodeBinary } from './node-binary.js'
import { npmInstall } from './npm.js'
import { startProgress } from '../progress.js'
import { project } from '../project.js'
import { SetupFailure } from '../setup-failure.js'

const stamp = join(project.modules, '.carrel-stamp')

/**
 * Installs the packages of the lock file and Node itself, unless that was done before, which takes a millisecond to
 * find out. `npm ci` is no alternative: it refuses a lock file from a registry that lacks the builds for other systems.
 */
export async function ensureNpmPackages() {
  const wanted = wantedStamp()
  if (existsSync(project.node) && readStamp() === wanted) return
  checkWritable()
  const progress = startProgress('Installing npm packages')
  try {
    await npmInstall(['--include=dev', '--include=optional'])
    progress.update('Node')
    await ensureNodeBinary()
    writeFileSync(stamp, wanted)
    progress.done()
  } catch (error) {
    progress.failed()
    throw error
  }
}

function checkWritable() {
  try {
    accessSync(project.root, constants.W_OK)
  } catch {
    throw new SetupFailure(
      `Cannot install the npm packages: "${project.root}" is not writable; become the owner of that folder, or run this as its owner.`,
    )
  }
}

function wantedStamp() {
  const lock = readFileSync(join(project.root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined
  }
}
