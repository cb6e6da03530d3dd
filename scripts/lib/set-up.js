import { checkDisk, checkNamespaces, checkOverlay, checkPlatform, checkPort } from './host/host-checks.js'
import { ensureNpmPackages } from './packages/npm-packages.js'
import { checkRootInReach, ensureRoot, isRoot } from './host/root.js'
import { readSettings } from './settings.js'
import { ensureSystemPackages } from './packages/system-packages.js'

/**
 * Makes this host ready to run computers, and this process root. Whatever is in the way is found before anything
 * heavy is done, and is a `SetupFailure`. On a host that is ready it takes some ten milliseconds.
 * @param {{ listens: boolean }} options whether the port must be free
 */
export async function setUp({ listens }) {
  const { host, port, dataDirectory } = readSettings()
  checkPlatform()
  checkRootInReach()
  if (listens) await checkPort(host, port)
  checkDisk(dataDirectory)
  if (isRoot()) await checkKernel()
  // Before becoming root, so that the packages belong to the owner of the clone.
  await ensureNpmPackages()
  await ensureRoot()
  await ensureSystemPackages()
}

async function checkKernel() {
  await Promise.all([checkNamespaces(), checkOverlay()])
}
