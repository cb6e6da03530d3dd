import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupFailure } from '../setup-failure.js'

/**
 * Compiles the command line and the SDK, and whatever they import, to `dist`.
 * @param {string} root of the project
 */
export function compileClient(root) {
  const dist = join(root, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', join(root, 'scripts/lib/client-package'), '--pretty', 'false']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0)
    throw new SetupFailure(`Cannot compile the client, which needs "npm install" first:\n${stdout}${stderr}`)
  for (const file of filesIn(dist, '.d.ts')) writeFileSync(file, withCompiledNames(readFileSync(file, 'utf8')))
}

/**
 * Returns the packages that the compiled client imports.
 * @param {string} root of the project
 */
export function importedPackages(root) {
  const imports = /^(?:import|export) [^'"=;(]*['"]([^'"]+)['"];$|import\(['"]([^'"]+)['"]\)/gm
  const names = filesIn(join(root, 'dist'), '.js').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(imports)].map(([, fixed, loaded]) => fixed ?? loaded ?? ''),
  )
  return [...new Set(names)].filter((name) => !/^(?:\.|node:)/.test(name)).toSorted()
}

/**
 * Returns a declaration with the names of compiled modules, which the compiler writes only into JavaScript.
 * @param {string} text
 */
function withCompiledNames(text) {
  return text.replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '$1.js')
}

/**
 * @param {string} folder
 * @param {string} ending
 */
function filesIn(folder, ending) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name))
}
