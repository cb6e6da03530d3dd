import { availableParallelism } from 'node:os'

/** @typedef {{ env: NodeJS.ProcessEnv }} Lane what the test files of a lane run with */

const maxLanes = 8

/**
 * Lanes in which test files against the real thing run side by side, each with a data directory and a network of its own:
 * the first has those of the environment. Their number is CARREL_TEST_LANES; the default is two where there are two cores,
 * as most of these tests wait.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Lane[]}
 */
export function testLanes(env) {
  const count = Number(env.CARREL_TEST_LANES || Math.min(2, availableParallelism()))
  if (!Number.isInteger(count) || count < 1 || count > maxLanes)
    throw new Error(`CARREL_TEST_LANES is "${env.CARREL_TEST_LANES}"; set it to a number from 1 to ${maxLanes}`)
  const { CARREL_DATA: data = '/var/lib/carrel-test', CARREL_NETWORK: network = '10.214' } = env
  const [first, second] = network.split('.').map(Number)
  if (count > 1 && first !== 10)
    throw new Error(`Lanes need a network in 10.0.0.0/8; "${network}" is another: set CARREL_TEST_LANES=1`)
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return { env }
    // Far from networks that somebody chose one after the other.
    const CARREL_NETWORK = `10.${(Number(second) + index * 9) % 256}`
    return { env: { ...env, CARREL_DATA: `${data}-${index + 1}`, CARREL_NETWORK } }
  })
}
