import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'

/**
 * Ensures that `node_modules/.bin/node` is a Node that runs the project: that of the package for this processor, which
 * is an optional dependency, else the Node that runs this script, if it is new enough.
 */
export async function ensureNodeBinary() {
  if (await isUsable()) return
  if (Number.parseInt(process.versions.node, 10) >= project.nodeMajor) placeLink(process.execPath)
  if (await isUsable()) return
  throw new SetupFailure(
    `Cannot run Node ${project.nodeMajor} on this machine (${process.platform} ${process.arch}): ` +
      `install Node ${project.nodeMajor} or later, then try again.`,
  )
}

async function isUsable() {
  const { code, output } = await runProgram([project.node, '--print', 'process.versions.node'])
  return code === 0 && Number.parseInt(output, 10) >= project.nodeMajor
}

/** @param {string} target */
function placeLink(target) {
  mkdirSync(dirname(project.node), { recursive: true })
  rmSync(project.node, { force: true })
  symlinkSync(target, project.node)
}
