import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { availablePackages, installPackages, updateLists } from './apt.js'
import { assessHost, choosePackages, hostNeeds } from './host-needs.js'
import { startProgress } from '../progress.js'
import { project } from '../project.js'
import { hasProgram } from '../host/search-path.js'
import { SetupFailure } from '../setup-failure.js'
import { withoutCluster } from './without-cluster.js'

/**
 * Remembers packages that could not be installed, so that later starts do not ask the package manager again so soon.
 */
const refused = join(project.modules, '.carrel-refused-packages')
const askAgainMs = 24 * 60 * 60_000

/** @typedef {{ needs: import('./host-needs.js').Need[], has: (program: string) => boolean }} Wanted */

/**
 * Installs the programs that this host lacks, and reports the disadvantages of those that cannot be installed. If
 * nothing is missing, a look at PATH is enough.
 * @param {Wanted} [wanted] by default what the server needs
 */
export async function ensureSystemPackages(wanted = { needs: hostNeeds, has: hasProgram }) {
  const before = assessHost(wanted.needs, wanted.has)
  const worthAsking = before.missing.length > 0 || before.wanted.join(' ') !== readRefused()
  const failure = worthAsking ? await install(wanted, before.missing) : undefined
  const after = assessHost(wanted.needs, wanted.has)
  if (after.missing.length > 0) throw cannotInstall(after.missing, failure ?? 'this system does not have the packages')
  if (after.wanted.length > 0) writeFileSync(refused, after.wanted.join(' '))
  for (const loss of after.losses) process.stderr.write(`${loss}\n`)
}

/**
 * Installs all available packages, or at least the required ones. Resolves with the reason of a failure, else
 * undefined.
 * @param {Wanted} wanted
 * @param {import('./host-needs.js').Need[]} missing
 */
async function install({ needs, has }, missing) {
  if (!hasProgram('apt-get')) return 'there is no apt-get'
  const progress = startProgress('Installing system packages')
  const outdated = await updateLists()
  const available = await availablePackages(needs.flatMap((need) => need.choices.map((choice) => choice.package)))
  /** @param {import('./host-needs.js').Need[]} needs */
  const installFor = async (needs) => {
    const packages = choosePackages(needs, has, available)
    if (packages.length === 0) return outdated
    const run = () => installPackages(packages, progress.update)
    return packages.includes('postgresql') ? withoutCluster(run) : run()
  }
  let failure = await installFor(needs)
  if (failure !== undefined && missing.length > 0) failure = await installFor(missing)
  if (failure === undefined) progress.done()
  else progress.failed()
  return failure
}

/**
 * @param {import('./host-needs.js').Need[]} missing
 * @param {string} reason
 */
function cannotInstall(missing, reason) {
  const packages = missing.map((need) => need.choices[0].package).join(' ')
  return new SetupFailure(
    `Cannot install ${packages}: ${reason}; run ${installAdvice(packages)} as root, then try again.`,
  )
}

/** @param {string} packages */
function installAdvice(packages) {
  const commands = { 'apt-get': 'install', dnf: 'install', pacman: '-S', apk: 'add', zypper: 'install' }
  const found = Object.entries(commands).find(([program]) => hasProgram(program))
  const otherNames = found?.[0] === 'apt-get' ? '' : " (the names are Debian's)"
  return `"${found?.join(' ') ?? 'your package manager for'} ${packages}"${otherNames}`
}

function readRefused() {
  try {
    if (Date.now() - statSync(refused).mtimeMs > askAgainMs) return ''
    return readFileSync(refused, 'utf8')
  } catch {
    return ''
  }
}
