import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildProgress } from '../../driver.ts'
import { AptProgress } from './apt-progress.ts'
import { formatAptSources } from './apt-sources.ts'
import type { BuildPrograms, BuildRoot } from './build-root.ts'
import { aptName, dpkgExcludes, type PackagePlan } from './mmdebstrap.ts'
import type { Recipe } from './recipe.ts'
import { writeRootFile } from './root-files.ts'
import { runInRoot } from './run-in-root.ts'

/** Adds the recipe's packages to the root of its base, with the base's own apt. Throws `ProgramFailure`. */
export async function addPackages(
  recipe: Recipe,
  volume: string,
  { sources, aptSettings, root: { path: root } }: PackagePlan & { root: Pick<BuildRoot, 'path'> },
  progress: (step: BuildProgress) => void,
  programs: BuildPrograms,
): Promise<void> {
  const inputs = join(volume, 'inputs')
  await mkdir(inputs)
  await writeFile(join(inputs, 'image.sources'), formatAptSources(sources))
  await writeFile(join(inputs, 'apt.conf'), `${aptSettings}${ownSources}`)
  await writeRootFile(root, `etc/dpkg/dpkg.cfg.d/image-${recipe.name}`, dpkgExcludes(recipe))
  const state = new AptProgress(firstFraction)
  const apt = (argv: string[], onLine?: (line: string) => void) =>
    runInRoot(root, ['apt-get', ...argv], { ...programs, env: aptEnvironment, inputs, onLine })
  progress({ step: 'Reading the package lists', fraction: 0 })
  await apt(['update', '-qq', '--error-on=any'])
  const install = ['install', '--yes', '--no-install-recommends', ...recipe.packages.map(aptName)]
  await apt(install, (line) => {
    const step = state.read(line)
    if (step) progress(step)
  })
  await apt(['clean'])
  for (const made of ['var/lib/apt/lists', 'var/cache/apt', 'var/log/apt'])
    await rm(join(root, made), { recursive: true, force: true })
  await rm(inputs, { recursive: true })
}

/** Where `run-in-root.sh` shows the inputs to programs inside. */
const inside = '/run/build'
const ownSources = `Dir::Etc::SourceList "${inside}/image.sources";\nDir::Etc::SourceParts "-";\n`
const aptEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  APT_CONFIG: `${inside}/apt.conf`,
}
const firstFraction = 0.05
