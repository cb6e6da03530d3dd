import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../system/run.ts'
import type { BuildPrograms } from './build-root.ts'
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
  { signal, background }: Pick<BuildPrograms, 'signal' | 'background'>,
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
    { cwd: prefix, signal, background },
  )
}

/** Moves the packages to /usr/local in the image's root, the location of npm's global packages. */
export async function placeNpmPackages(volume: string, root: string): Promise<void> {
  const prefix = join(volume, 'npm')
  if (!existsSync(prefix)) return
  const local = join(root, 'usr/local')
  await mkdir(join(local, 'lib/node_modules'), { recursive: true })
  for (const part of ['lib/node_modules', 'bin']) {
    const names = await readdir(join(prefix, part)).catch(() => [])
    for (const name of names) await run('mv', ['-T', join(prefix, part, name), join(local, part, name)])
  }
  await rm(prefix, { recursive: true, force: true })
}
