import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildProgress } from '../../driver.ts'
import type { BuildPrograms } from './build-root.ts'
import { formatAptSources } from './apt-sources.ts'
import type { AptSource } from './apt-sources.ts'
import type { Distribution } from './distribution.ts'
import { MmdebstrapProgress } from './mmdebstrap-progress.ts'
import { runIsolated } from './program.ts'
import type { Recipe, RecipePackage } from './recipe.ts'

export interface PackagePlan {
  distribution: Distribution
  sources: AptSource[]
  /** apt.conf(5) text for the downloads. */
  aptSettings: string
}

/** Creates `<volume>/rootfs` from the recipe's packages. Throws `ProgramFailure`. */
export async function installPackages(
  recipe: Recipe,
  volume: string,
  plan: PackagePlan,
  progress: (step: BuildProgress) => void,
  { signal, background }: BuildPrograms,
): Promise<void> {
  const inputs = join(volume, 'inputs')
  await mkdir(inputs)
  await writeFile(join(inputs, 'image.sources'), formatAptSources(plan.sources))
  await writeFile(join(inputs, 'apt.conf'), plan.aptSettings)
  await writeFile(join(inputs, 'dpkg.cfg'), dpkgSettings(recipe))
  const state = new MmdebstrapProgress()
  const onLine = (line: string) => {
    const step = state.read(line)
    if (step) progress(step)
  }
  await runIsolated(['mmdebstrap', ...mmdebstrapArguments(recipe, volume, inputs, plan.distribution)], {
    onLine,
    signal,
    background,
    cwd: volume,
  })
  await rm(inputs, { recursive: true })
}

function mmdebstrapArguments(recipe: Recipe, volume: string, inputs: string, distribution: Distribution): string[] {
  return [
    '--verbose',
    '--mode=root',
    '--variant=apt',
    '--format=directory',
    ...mergedUsrHook(),
    `--aptopt=${join(inputs, 'apt.conf')}`,
    resolveHook(recipe),
    // A separate file and not --dpkgopt, with which mmdebstrap would filter extracted files in Perl, which takes 9 s.
    '--setup-hook=upload inputs/dpkg.cfg /etc/dpkg/dpkg.cfg.d/image',
    ...leaveOutHook(recipe),
    ...recipe.packages.map((entry) => `--include=${aptName(entry)}`),
    distribution.codename,
    join(volume, 'rootfs'),
    join(inputs, 'image.sources'),
  ]
}

/** Creates merged directories where that is possible, as apt would otherwise install `usrmerge` with all of Perl. */
function mergedUsrHook(): string[] {
  const hook = ['maybe-merged-usr', 'merged-usr']
    .map((name) => `/usr/share/mmdebstrap/hooks/${name}`)
    .find((path) => existsSync(path))
  return hook === undefined ? [] : [`--hook-dir=${hook}`]
}

/** Returns the package's name for apt; for an optional package a pattern, which may match nothing. */
export function aptName({ name, optional }: RecipePackage): string {
  return optional ? `?exact-name(${name})?not(?virtual)` : name
}

/** Checks that the packages exist before 10 s are spent on the essential ones. */
function resolveHook(recipe: Recipe): string {
  const names = recipe.packages.map((entry) => `'${aptName(entry)}'`).join(' ')
  const apt = 'env --chdir="$1" APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get'
  return `--setup-hook=${apt} update -qq --error-on=any && ${apt} install --simulate -qq ${names} > /dev/null`
}

/**
 * Deletes excluded paths of the essential packages. These are extracted completely before dpkg installs them again with
 * its settings, so the deletion must happen in between. A hook is a line for `sh`: the recipe's schema allows only
 * characters that `sh` takes as part of a path, and the chroot keeps links of the new root from leading to the host's
 * files.
 */
function leaveOutHook(recipe: Recipe): string[] {
  const paths = recipe.leaveOut ?? []
  return paths.length === 0 ? [] : [`--extract-hook=chroot "$1" sh -c 'rm -rf -- ${paths.join(' ')}'`]
}

/**
 * Returns dpkg.cfg(5) for the build and for the guest, where it saves the same time and space. The build needs none of
 * dpkg's own flushes, as the image is flushed as a whole before it is published.
 */
function dpkgSettings(recipe: Recipe): string {
  return `force-unsafe-io\n${dpkgExcludes(recipe)}`
}

/** Returns the lines of dpkg.cfg(5) for the paths that packages may not install. */
export function dpkgExcludes({ leaveOut = [] }: Recipe): string {
  return [...leaveOut.map((path) => `path-exclude=${path}\n`), 'path-include=/usr/share/doc/*/copyright\n'].join('')
}
