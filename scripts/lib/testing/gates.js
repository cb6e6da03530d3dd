import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'

/** @typedef {{ name: string, commands: string[][], fix?: string[] }} Gate the first element is a program of node_modules/.bin */
/** @typedef {{ name: string, passed: boolean, output: string, durationMs: number }} GateResult */

/** What the code must pass besides its tests. @type {Gate[]} */
export const gates = [
  {
    name: 'types',
    commands: [
      ['tsc', '-p', '.', '--pretty', 'false'],
      ['tsc', '-p', 'scripts', '--pretty', 'false'],
      ['tsc', '-p', 'scripts/lib/client-package', '--noEmit', '--pretty', 'false'],
      ['tsc', '-p', 'src/http/docs/assets', '--pretty', 'false'],
      ['tsc', '-p', 'src/http/pages/assets', '--pretty', 'false'],
      ['tsc', '-p', 'web', '--pretty', 'false'],
    ],
  },
  {
    name: 'lint',
    commands: [['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives']],
    fix: ['oxlint', '--type-aware', '--fix'],
  },
  { name: 'format', commands: [['oxfmt', '--check']], fix: ['oxfmt'] },
  { name: 'unused', commands: [['knip', '--no-progress']] },
]

const timeoutMs = 5 * 60_000

/**
 * Runs every gate at once; `onResult` is called in the order in which they end.
 * @param {(result: GateResult) => void} onResult
 */
export function runGates(onResult) {
  return Promise.all(
    gates.map(async (gate) => {
      const result = await runGate(gate)
      onResult(result)
      return result
    }),
  )
}

/** Lets the gates that can repair what they complain of do so, one after the other as they write the same files. */
export async function fixGates() {
  for (const { fix } of gates) if (fix) await runTool(fix)
}

/**
 * @param {Gate} gate
 * @returns {Promise<GateResult>}
 */
async function runGate({ name, commands }) {
  const startedMs = Date.now()
  const results = await Promise.all(commands.map(runTool))
  const passed = results.every(({ code }) => code === 0)
  const output = results
    .filter(({ code }) => code !== 0)
    .map((result) => result.output + (result.timedOut ? `\nEnded after ${timeoutMs / 60_000} minutes.\n` : ''))
    .join('')
  // oxlint colours its output in CI, whatever NO_COLOR says.
  return { name, passed, output: stripVTControlCharacters(output).trim(), durationMs: Date.now() - startedMs }
}

/** @param {string[]} command */
function runTool([tool = '', ...args]) {
  const argv = [project.node, join(project.modules, '.bin', tool), ...args]
  const env = { ...process.env, PATH: `${join(project.modules, '.bin')}:${process.env.PATH}`, NO_COLOR: '1' }
  return runProgram(argv, { cwd: project.root, env, timeoutMs })
}
