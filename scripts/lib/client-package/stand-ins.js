import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientManifest } from './client-manifest.js'
import { compileClient, importedPackages } from './compile-client.js'

/** Files of the project that npm puts into a package under these names, whatever else is in it. */
const names = ['package.json', 'README.md']

/**
 * Compiles the client, and lets its manifest and README stand in for the project's until `restoreProject`. The project
 * has a manifest at every moment.
 * @param {string} root of the project
 */
export function placeStandIns(root) {
  // An earlier call may not have been followed by the other.
  restoreProject(root)
  compileClient(root)
  const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const manifest = clientManifest(project, importedPackages(root))
  const own = join(root, 'dist/client')
  mkdirSync(own)
  writeFileSync(join(own, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  copyFileSync(join(root, 'sdk/README.md'), join(own, 'README.md'))
  mkdirSync(keptIn(root))
  for (const name of names) copyFileSync(join(root, name), join(keptIn(root), name))
  for (const name of names) renameSync(join(own, name), join(root, name))
  rmSync(own, { recursive: true })
}

/**
 * Puts the project's own files back. Does nothing where no stand-ins are.
 * @param {string} root of the project
 */
export function restoreProject(root) {
  for (const name of names)
    if (existsSync(join(keptIn(root), name))) renameSync(join(keptIn(root), name), join(root, name))
  rmSync(keptIn(root), { recursive: true, force: true })
}

/** @param {string} root */
const keptIn = (root) => join(root, 'dist/project')
