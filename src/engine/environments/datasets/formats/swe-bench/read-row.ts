import type { EnvironmentSource, SweBenchVerifier, Task } from '../../../task.ts'
import type { Fields } from '../fields.ts'
import { noParts, noTexts, plainEnvironment } from '../read-task.ts'
import { testsOf } from './repo-tests.ts'

/** What stands in files instead of the row, in a task folder. */
export interface FileParts {
  source?: EnvironmentSource
  script?: SweBenchVerifier['script']
  problemStatement?: string
  patch?: string
  testPatch?: string
  tests?: Fields
}

/** Reads a row of SWE-bench, or of one of the datasets that have its columns. Columns without a meaning are ignored. */
export function readRow(row: Fields, files: FileParts = {}): Task {
  const id = row.text('instance_id') || row.fail('instance_id', 'is missing')
  const repo = row.text('repo') ?? ''
  const tests = testsOf(repo)
  const lists = files.tests ?? row
  const failToPass = names(lists, 'FAIL_TO_PASS')
  if (failToPass.length === 0) lists.fail('FAIL_TO_PASS', 'names no test, so that there is nothing to verify')
  return {
    ...noTexts,
    ...noParts,
    format: 'swe-bench',
    instanceId: id,
    problemStatement:
      (files.problemStatement ?? row.text('problem_statement')) || row.fail('problem_statement', 'is missing'),
    repo,
    language: row.text('language') ?? row.text('repo_language') ?? '',
    baseCommit: row.text('base_commit') ?? '',
    environmentSetupCommit: row.text('environment_setup_commit') ?? '',
    patch: files.patch ?? row.text('patch') ?? '',
    testPatch: files.testPatch ?? row.text('test_patch') ?? '',
    nonCodePatch: row.text('non_code_patch') ?? '',
    hintsText: row.text('hints_text') ?? '',
    failToPass,
    passToPass: names(lists, 'PASS_TO_PASS'),
    failToFail: names(lists, 'FAIL_TO_FAIL'),
    environment: { ...plainEnvironment, source: files.source ?? { image: imageOf(row, id) }, workdir: '/testbed' },
    agent: { timeoutMs: null, user: null },
    verifier: {
      kind: 'swe-bench',
      script: files.script ?? scriptOf(row),
      testCommand: commandOf(row) ?? tests.command,
      logParser: row.text('log_parser') ?? tests.parser,
      repoVersion: versionOf(row),
      timeoutMs: 1_800_000,
      env: {},
      user: null,
      mode: 'patch',
      network: null,
    },
    solution: (files.patch ?? row.text('patch')) ? { kind: 'patch' } : null,
  }
}

/** Returns a list of tests, which rows have as a list or as JSON in a text. */
function names(row: Fields, column: string): string[] {
  const name = [column, column.toLowerCase()].find((one) => row.has(one)) ?? column
  const raw = row.raw(name)
  if (typeof raw !== 'string') return row.texts(name)
  if (raw.trim() === '') return []
  const parsed = parsedOr(raw)
  const isList = Array.isArray(parsed) && parsed.every((one) => typeof one === 'string')
  return isList ? parsed : row.fail(name, 'has to be a list of texts, or JSON of one')
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns the image that a row names, else the one that SWE-bench publishes for it. */
function imageOf(row: Fields, id: string): string {
  const named = row.text('docker_image') ?? row.text('image_name') ?? row.text('image')
  return named || `docker.io/swebench/sweb.eval.x86_64.${id.toLowerCase().replaceAll('__', '_1776_')}:latest`
}

function scriptOf(row: Fields): SweBenchVerifier['script'] {
  const text = row.text('eval_script')
  return text ? { text } : null
}

function commandOf(row: Fields): string | undefined {
  if (typeof row.raw('test_cmd') === 'string') return row.text('test_cmd')
  const commands = [...row.texts('test_cmd'), ...row.texts('test_cmds')]
  return commands.length > 0 ? commands.join(' && ') : undefined
}

function versionOf(row: Fields): string {
  const raw = row.raw('version')
  return typeof raw === 'number' ? String(raw) : (row.text('version') ?? '')
}
