import { checkDisk, checkNamespaces, checkOverlay, checkPlatform, checkPort } from './host/host-checks.js'
import { ensureNpmPackages } from './packages/npm-packages.js'
import { checkRootInReach, ensureRoot, isRoot } from './host/root.js'
import { readSettings } from './settings.js'
import { ensureSystemPackages } from './packages/system-packages.js'
import { hasTestProgram, testNeeds } from './packages/test-needs.js'
import { ensureWebPages } from './web/ensure-web-pages.js'

/**
 * Prepares this host to run computers, and makes this process root. Throws a `SetupFailure` for an obstacle before
 * anything expensive is done. Takes some ten milliseconds on a prepared host.
 * @param {{ listens: boolean, tests?: boolean }} options `listens`: the port has to be free; `tests`: what only the tests
 *   need is installed too
 */
export async function prepareHost({ listens, tests = false }) {
  const { host, port, dataDirectory } = readSettings()
  checkPlatform()
  checkRootInReach()
  if (listens) await checkPort(host, port)
  checkDisk(dataDirectory)
  if (isRoot()) await checkKernel()
  // Packages are installed, and pages built, before becoming root, so that they belong to the owner of the clone.
  await ensureNpmPackages()
  await ensureWebPages()
  await ensureRoot()
  await ensureSystemPackages(tests ? { needs: testNeeds, has: hasTestProgram } : undefined)
}

async function checkKernel() {
  await Promise.all([checkNamespaces(), checkOverlay()])
}
