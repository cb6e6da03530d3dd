import { Fields } from '../fields.ts'
import type { ReadTask } from '../read-task.ts'
import { yamlFields } from '../settings-file.ts'
import type { TaskFolder } from '../task-folder.ts'
import { TaskProblem } from '../task-problem.ts'
import { readRow } from './read-row.ts'

/** Reads a task folder of SWE-bench: the row as `task.yaml`, with its long texts in files of their own. */
export function readSweBenchTask(folder: TaskFolder): ReadTask {
  const row = yamlFields(folder, 'task.yaml')
  const hasDockerfile = folder.has('Dockerfile')
  const patch = folder.textIfAny('gold.patch')
  const testPatch = folder.textIfAny('test.patch')
  const problemStatement = folder.textIfAny('problem_statement.md')
  const task = readRow(row, {
    ...(hasDockerfile
      ? { source: { dockerfile: folder.requireFile('Dockerfile'), context: '', exclude: hiddenOf(folder) } }
      : {}),
    ...(folder.has('eval.sh') ? { script: { path: folder.requireFile('eval.sh') } } : {}),
    ...(problemStatement === undefined ? {} : { problemStatement }),
    ...(patch === undefined ? {} : { patch }),
    ...(testPatch === undefined ? {} : { testPatch }),
    tests: testsOf(folder),
  })
  return { task, isVisible: (path) => path === 'Dockerfile' }
}

/** Everything but the Dockerfile: the texts of the task say what the tests are. */
function hiddenOf(folder: TaskFolder): string[] {
  const hidden = new Set(['task.yaml', 'tests.json', 'problem_statement.md', 'gold.patch', 'test.patch', 'eval.sh'])
  return folder.names().filter((name) => hidden.has(name))
}

function testsOf(folder: TaskFolder): Fields {
  const file = 'tests.json'
  const text = folder.text(file)
  try {
    return new Fields(file, JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) throw new TaskProblem('is not JSON', { file })
    throw error
  }
}
