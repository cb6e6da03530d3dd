import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from './program.ts'
import type { Recipe } from './recipe.ts'

/**
 * Fetches the recipe's packages into `<volume>/npm`, with the host's npm and its configuration. Throws
 * `ProgramFailure`.
 */
export async function fetchNpmPackages(
  recipe: Recipe,
  volume: string,
  architecture: string,
  signal: AbortSignal,
): Promise<void> {
  const npm = recipe.npm ?? {}
  const packages = [
    ...(npm.all ?? []),
    ...((architecture === 'arm64' ? npm.arm64 : architecture === 'x64' ? npm.x64 : undefined) ?? []),
  ]
  if (packages.length === 0) return
  const prefix = join(volume, 'npm')
  await mkdir(prefix)
  await runProgram(
    [
      'npm',
      'install',
      '--global',
      '--prefix',
      prefix,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--',
      ...packages,
    ],
    { cwd: prefix, signal },
  )
}

/** Moves the packages to the image's /usr/local, the location of npm's global packages. */
export async function placeNpmPackages(volume: string): Promise<void> {
  const prefix = join(volume, 'npm')
  const local = join(volume, 'rootfs/usr/local')
  await mkdir(join(local, 'lib/node_modules'), { recursive: true })
  for (const part of ['lib/node_modules', 'bin']) {
    const names = await readdir(join(prefix, part)).catch(() => [])
    for (const name of names) await rename(join(prefix, part, name), join(local, part, name))
  }
  await rm(prefix, { recursive: true, force: true })
}
