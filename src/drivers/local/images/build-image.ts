import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { BuildProgress } from '../../driver.ts'
import { readAptSettings } from './apt-settings.ts'
import { readAptSources } from './apt-sources.ts'
import type { AptSource } from './apt-sources.ts'
import { addPackages } from './add-packages.ts'
import { type Base, type BuildPrograms, type BuildRoot, openLayer, wholeRoot } from './build-root.ts'
import { buildFailure } from './build-failure.ts'
import type { Distribution } from './distribution.ts'
import { writeGuestApt } from './guest-apt.ts'
import { writeGuestDf } from './guest-df.ts'
import type { StoredImage } from './image-store.ts'
import { writeLoginEnvironment } from './login-environment.ts'
import { installPackages, type PackagePlan } from './mmdebstrap.ts'
import { makeNeutral } from './neutral-root.ts'
import { fetchNpmPackages, placeNpmPackages } from './npm-packages.ts'
import type { Recipe } from './recipe.ts'
import { requireTools } from './require-tools.ts'
import { runSetup } from './run-setup.ts'
import { shiftOwners } from './shift-owners.ts'

export interface BuildOptions {
  distribution: Distribution
  progress: (step: BuildProgress) => void
  /** Aborts the build, and kills all programs that it runs. */
  signal?: AbortSignal | undefined
  /** The programs of the build yield to all others. */
  background?: boolean
}

/**
 * Builds a recipe's root file system in an empty volume: the whole of it, or the layer that the recipe adds to a base.
 * Throws `invalid_request` for a faulty recipe, and `unavailable` when the host or its package sources lack something.
 */
export async function buildImage(
  recipe: Recipe,
  id: string,
  volume: string,
  {
    distribution,
    progress,
    signal = new AbortController().signal,
    background = false,
    base,
  }: BuildOptions & { base?: Base | undefined },
): Promise<StoredImage> {
  const sources = await requireSources(recipe, distribution)
  const settings = await readAptSettings()
  await using root = base ? await openLayer(volume, base) : wholeRoot(volume)
  const programs = { signal, background, namespace: root.namespace }
  try {
    const plan = { distribution, sources, aptSettings: settings.download }
    await fetchEverything(recipe, volume, { ...plan, root }, progress, programs)
    progress({ step: 'Setting up', fraction: 0.86 })
    await placeNpmPackages(volume, root.path)
    await writeLoginEnvironment(root.path, recipe.env)
    await runSetup(recipe, root.path, programs)
    await requireTools(recipe, root.path, programs)
  } catch (error) {
    signal.throwIfAborted()
    throw buildFailure(recipe, error)
  }
  await writeGuestApt(root.path, sources, settings.guest)
  await writeGuestDf(root.path)
  await makeNeutral(root.path)
  await root.finish()
  progress({ step: 'Setting the owners of the files', fraction: 0.92 })
  const { bytes } = await shiftOwners(join(volume, 'rootfs'))
  signal.throwIfAborted()
  progress({ step: 'Writing to the disk', fraction: 0.96 })
  return {
    id,
    name: recipe.name,
    sizeBytes: bytes,
    createdAtMs: Date.now(),
    env: recipe.env,
    user: recipe.user,
    workdir: recipe.workdir,
    ...(recipe.tools ? { tools: recipe.tools } : {}),
    source: 'recipe',
    ...(base ? { from: base.from } : {}),
  }
}

/** Installs packages of the distribution and of npm concurrently. A failure of one aborts the other. */
async function fetchEverything(
  recipe: Recipe,
  volume: string,
  plan: PackagePlan & { root: BuildRoot },
  progress: (step: BuildProgress) => void,
  programs: BuildPrograms,
): Promise<void> {
  const failed = new AbortController()
  const ended = { ...programs, signal: AbortSignal.any([programs.signal, failed.signal]) }
  const install = plan.root.namespace === undefined ? installPackages : addPackages
  const abortAll = (error: unknown) => {
    failed.abort()
    throw error
  }
  const ofPackages = (step: BuildProgress) => progress({ ...step, fraction: (step.fraction ?? 0) * packagesShare })
  const results = await Promise.allSettled([
    install(recipe, volume, plan, ofPackages, ended).catch(abortAll),
    fetchNpmPackages(recipe, volume, plan.distribution.architecture, ended).catch(abortAll),
  ])
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
  const reason = reasons.find((candidate) => candidate.name !== 'AbortError') ?? reasons[0]
  if (reason !== undefined) throw reason
}

async function requireSources(recipe: Recipe, distribution: Distribution): Promise<AptSource[]> {
  const sources = await readAptSources(distribution)
  if (sources.length > 0) return sources
  throw new CarrelError(
    'unavailable',
    `Cannot build image "${recipe.name}": /etc/apt names no package source for "${distribution.codename}"; add the distribution's own`,
  )
}

const packagesShare = 0.85
