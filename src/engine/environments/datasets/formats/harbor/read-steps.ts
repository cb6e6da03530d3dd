import type { TaskSolution, TaskStep } from '../../../task.ts'
import { healthcheck, variables } from '../environment-fields.ts'
import type { Fields } from '../fields.ts'
import { instruction } from '../instruction.ts'
import type { TaskFolder } from '../task-folder.ts'

/** Returns the steps of a task of Harbor, whose files are in `steps/<name>/`. */
export function readSteps(folder: TaskFolder, root: Fields): TaskStep[] {
  const steps = root.tables('steps').map((fields) => stepOf(folder, fields))
  const again = steps.find(({ name }, index) => steps.findIndex((other) => other.name === name) !== index)
  if (again) root.fail('steps', `has two steps "${again.name}"`)
  return steps
}

function stepOf(folder: TaskFolder, fields: Fields): TaskStep {
  const name = fields.text('name') ?? ''
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name)) fields.fail('name', 'has to be the name of a folder in steps/')
  const place = `steps/${name}`
  const verifier = fields.table('verifier')
  if (verifier.one('environment_mode', ['shared', 'separate']) === 'separate')
    verifier.fail('environment_mode', 'asks for an environment of the step, and a task has one for all steps')
  // Tests of a step are put over those of the task, either of which may have the script.
  if (!folder.hasFile('tests/test.sh')) folder.requireFile(`${place}/tests/test.sh`)
  return {
    name,
    instruction: instruction(folder, `${place}/instruction.md`),
    tests: folder.hasFolder(`${place}/tests`) ? `${place}/tests` : null,
    solution: solutionIn(folder, `${place}/solution`, variables(fields.table('solution'), 'env')),
    workdir: folder.hasFolder(`${place}/workdir`) ? `${place}/workdir` : null,
    agentTimeoutMs: fields.table('agent').seconds('timeout_sec') ?? null,
    verifierTimeoutMs: verifier.seconds('timeout_sec') ?? null,
    verifierEnv: verifier.has('env') ? variables(verifier, 'env') : null,
    healthcheck: healthcheck(fields, '_sec'),
    minReward: minRewardOf(fields),
  }
}

/** Returns the solution in a folder; null if the folder is missing. */
export function solutionIn(folder: TaskFolder, place: string, env: Record<string, string>): TaskSolution | null {
  if (!folder.has(place)) return null
  return { kind: 'script', script: folder.requireFile(`${place}/solve.sh`), folder: place, env }
}

function minRewardOf(fields: Fields): TaskStep['minReward'] {
  const raw = fields.raw('min_reward')
  if (raw === undefined || typeof raw === 'number') return fields.number('min_reward') ?? null
  const table = fields.table('min_reward')
  return Object.fromEntries(table.names.map((name) => [name, table.number(name)!]))
}
