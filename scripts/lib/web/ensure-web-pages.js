import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProgress } from '../progress.js'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'
import { SetupFailure } from '../setup-failure.js'
import { hashWebSources } from './web-sources.js'

const dist = join(project.root, 'web/dist')
const stamp = join(dist, 'sources.sha256')
const timeoutMs = 5 * 60_000

/**
 * Builds the pages of `web/` into `web/dist`, unless that was done from the same sources before, which takes
 * milliseconds to find out. Needs nothing from the network. Where a build fails, pages of an earlier one stay in use.
 */
export async function ensureWebPages() {
  const hash = hashWebSources(project.root)
  if (readStamp() === hash) return
  const progress = startProgress('Building the web pages')
  const failure = await build(hash)
  if (failure === undefined) return progress.done()
  progress.failed()
  if (!existsSync(join(dist, 'index.html'))) throw new SetupFailure(`Cannot build the web pages: ${failure}`)
  process.stderr.write(`The web pages are those of an earlier build: ${failure}\n`)
}

/**
 * Builds beside `web/dist` and exchanges the two, so that a server never serves half a build. Resolves with the reason
 * of a failure, else undefined.
 * @param {string} hash
 */
async function build(hash) {
  const cache = join(project.modules, '.cache')
  const made = join(cache, `web-${process.pid}`)
  const old = `${made}-old`
  try {
    mkdirSync(cache, { recursive: true })
    const vite = join(project.modules, 'vite/bin/vite.js')
    const argv = [project.node, vite, 'build', 'web', '--outDir', made, '--emptyOutDir', '--logLevel', 'error']
    const env = { ...process.env, NO_COLOR: '1' }
    const { code, output, timedOut } = await runProgram(argv, { cwd: project.root, env, timeoutMs })
    if (timedOut) return `it took more than ${timeoutMs / 60_000} minutes`
    if (code !== 0) return withoutStack(output) || `vite ended with exit code ${code}`
    writeFileSync(join(made, 'sources.sha256'), hash)
    if (existsSync(dist)) renameSync(dist, old)
    renameSync(made, dist)
    return undefined
  } catch (error) {
    // Another set-up of this clone was quicker.
    if (readStamp() === hash) return undefined
    return error instanceof Error ? error.message : String(error)
  } finally {
    for (const path of [made, old]) rmSync(path, { recursive: true, force: true })
  }
}

/** @param {string} output */
function withoutStack(output) {
  return output.trim().split('\n    at ')[0]
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined
  }
}
