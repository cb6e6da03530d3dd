import type { Task } from '../../../task.ts'
import type { Fields } from '../fields.ts'
import { below, noParts, noTexts, type ReadTask } from '../read-task.ts'
import { yamlFields } from '../settings-file.ts'
import type { TaskFolder } from '../task-folder.ts'
import { TaskProblem } from '../task-problem.ts'
import { readCompose } from './read-compose.ts'

/** Files that the image must not be made of, as agents would find the tests and the solution in it. */
const hidden = ['task.yaml', 'solution.sh', 'solution.yaml', 'run-tests.sh', 'tests', 'docker-compose.yaml']

/** Reads a task of Terminal-Bench 1 (`task.yaml`). */
export function readTerminalBenchTask(folder: TaskFolder): ReadTask {
  const fields = yamlFields(folder, 'task.yaml')
  const parser = fields.text('parser_name') ?? 'pytest'
  if (parser !== 'pytest')
    fields.fail('parser_name', `asks for the parser "${parser}", and this server reads pytest's summary`)
  if (folder.hasFile('solution.yaml') && !folder.hasFile('solution.sh'))
    throw new TaskProblem('asks for keys that are typed at a terminal: write the solution as solution.sh', {
      file: 'solution.yaml',
    })
  const task: Task = {
    ...noTexts,
    ...noParts,
    format: 'terminal-bench',
    instanceId: folder.name,
    problemStatement: instructionOf(fields),
    environment: readCompose(folder, hidden),
    agent: { timeoutMs: fields.seconds('max_agent_timeout_sec') ?? 360_000, user: null },
    verifier: {
      kind: 'terminal-bench',
      tests: folder.hasFolder('tests') ? 'tests' : null,
      script: folder.requireFile('run-tests.sh'),
      parser: 'pytest',
      sameShell: fields.boolean('run_tests_in_same_shell') ?? false,
      timeoutMs: fields.seconds('max_test_timeout_sec') ?? 60_000,
      env: {},
      user: null,
      mode: 'fork',
      network: null,
    },
    solution: folder.has('solution.sh')
      ? { kind: 'script', script: folder.requireFile('solution.sh'), folder: '', env: {} }
      : null,
  }
  const isHidden = below(...hidden)
  return { task, isVisible: (path) => !isHidden(path) }
}

/** Returns the instruction; early tasks have several descriptions, of which `base` is meant. */
function instructionOf(fields: Fields): string {
  const given = fields.text('instruction')
  if (given) return given
  const described = fields
    .tables('descriptions')
    .find((one) => one.text('key') === 'base')
    ?.text('description')
  return described || fields.fail('instruction', 'is missing')
}
