import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { BuildPrograms } from './build-root.ts'
import { ProgramFailure } from './program.ts'
import type { Recipe } from './recipe.ts'
import { runInRoot } from './run-in-root.ts'
import { shiftOwners } from './shift-owners.ts'

/**
 * Runs the recipe's `setup.sh` in the new root, in a copy of the recipe's folder. Throws `invalid_request` when it
 * fails.
 */
export async function runSetup(recipe: Recipe, root: string, programs: BuildPrograms): Promise<void> {
  const copy = join(root, 'tmp/recipe')
  await cp(recipe.directory, copy, { recursive: true, verbatimSymlinks: true })
  // In a namespace of its own, root is no owner of the host's files.
  if (programs.namespace !== undefined) await shiftOwners(copy)
  try {
    await runInRoot(root, ['/bin/sh', 'setup.sh'], { ...programs, env: setupEnvironment(), cwd: '/tmp/recipe' })
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error
    const reason = `setup.sh ended with exit code ${error.exitCode}: ${error.lines.at(-1) ?? 'it wrote nothing'}`
    throw new CarrelError('invalid_request', `Cannot build image "${recipe.name}": ${reason}`, {
      details: { field: 'setup.sh', output: error.lines.join('\n') },
      cause: error,
    })
  }
  await rm(copy, { recursive: true })
}

function setupEnvironment(): Record<string, string> {
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
    ...Object.fromEntries(
      proxies.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
  }
}
