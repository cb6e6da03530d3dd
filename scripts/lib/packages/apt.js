import { runProgram } from '../run-program.js'

const timeoutMs = 15 * 60_000
const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1', LC_ALL: 'C' }
const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']

/**
 * Updates the package lists. Resolves with the reason of a failure, else undefined. After a failure the old lists stay,
 * which may suffice.
 */
export async function updateLists() {
  const result = await runProgram(['apt-get', ...options, '-o', 'APT::Update::Error-Mode=any', 'update'], {
    env,
    timeoutMs,
  })
  return failureOf(result)
}

/**
 * Returns which of these packages can be installed.
 * @param {string[]} packages
 */
export async function availablePackages(packages) {
  const { output } = await runProgram(['apt-cache', 'policy', ...packages], { env, timeoutMs })
  return parsePolicy(output)
}

/**
 * Returns the packages that have a candidate in the output of `apt-cache policy`.
 * @param {string} output
 */
export function parsePolicy(output) {
  /** @type {Set<string>} */
  const available = new Set()
  let name = ''
  for (const line of output.split('\n')) {
    if (/^\S+:$/.test(line)) name = line.slice(0, -1)
    else if (/^ +Candidate: (?!\(none\))/.test(line)) available.add(name)
  }
  return available
}

/**
 * Installs packages. Resolves with the reason of a failure, else undefined.
 * @param {string[]} packages
 * @param {(detail: string) => void} onProgress gets text such as `40 %`
 */
export async function installPackages(packages, onProgress) {
  const status = ['-o', 'APT::Status-Fd=3', '-o', 'Dpkg::Options::=--force-confold']
  const argv = ['apt-get', ...options, ...status, 'install', '-y', '-q', '--no-install-recommends', ...packages]
  return failureOf(await runProgram(argv, { env, timeoutMs, onStatus: (line) => onProgress(parseStatus(line)) }))
}

/** @param {import('../run-program.js').ProgramResult} result */
function failureOf({ code, output, timedOut }) {
  if (timedOut) return `apt-get took more than ${timeoutMs / 60_000} minutes`
  return code === 0 ? undefined : aptReason(output)
}

/**
 * Returns the progress of apt from a line of its status: fetching is the first half of the work, unpacking and
 * configuring the second.
 * @param {string} line `dlstatus:1:40.0:…` or `pmstatus:crun:40.0:…`
 */
export function parseStatus(line) {
  const [kind, , percent = ''] = line.split(':')
  const done = Number.parseFloat(percent)
  if (Number.isNaN(done)) return ''
  return `${Math.round(done / 2 + (kind === 'pmstatus' ? 50 : 0))} %`
}

/**
 * Returns the first error in apt's output.
 * @param {string} output
 */
export function aptReason(output) {
  const lines = output.split('\n')
  const error = lines.find((line) => /^(E|dpkg): /.test(line)) ?? lines.findLast((line) => line.trim() !== '')
  return error?.replace(/^(E|dpkg): /, '').replace(/\.?\s*$/, '') ?? 'apt-get gave no reason'
}
