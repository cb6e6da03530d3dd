import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  harborTask,
  plainTask,
  sweBenchRow,
  sweBenchTask,
  terminalBenchTask,
} from '../../../../../test/environments/fixtures/tasks.ts'
import type { Task } from '../../task.ts'
import { Fields } from './fields.ts'
import { readHarborTask } from './harbor/read-harbor-task.ts'
import { readPlainTask } from './plain/read-plain-task.ts'
import { readRow } from './swe-bench/read-row.ts'
import { readSweBenchTask } from './swe-bench/read-swe-bench-task.ts'
import { TaskFolder } from './task-folder.ts'
import { readTerminalBenchTask } from './terminal-bench/read-terminal-bench-task.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-formats-'))
after(() => rmSync(root, { recursive: true }))

type Files = Record<string, string | undefined>

function folderOf(files: Files): TaskFolder {
  const folder = mkdtempSync(join(root, 'task-'))
  for (const [path, content] of Object.entries(files)) {
    if (content === undefined) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return new TaskFolder(folder, 'the-task')
}

/** Reads a task with settings in place of those of the smallest one. */
const reading = {
  plain: (toml: string, files: Files = {}) =>
    readPlainTask(folderOf({ ...plainTask, 'sample.toml': toml, ...files })).task,
  harbor: (toml: string, files: Files = {}) =>
    readHarborTask(folderOf({ ...harborTask, 'task.toml': toml, ...files })).task,
  'terminal-bench': (yaml: string, files: Files = {}) =>
    readTerminalBenchTask(folderOf({ ...terminalBenchTask, 'task.yaml': yaml, ...files })).task,
  compose: (yaml: string) =>
    readTerminalBenchTask(folderOf({ ...terminalBenchTask, 'docker-compose.yaml': yaml })).task,
  'swe-bench': (json: string) => readRow(new Fields('rows.jsonl:1', { ...sweBenchRow, ...JSON.parse(json) })),
  'swe-bench folder': (yaml: string, files: Files = {}) =>
    readSweBenchTask(folderOf({ ...sweBenchTask, 'task.yaml': yaml, ...files })).task,
}

describe('a task is read with all that its format says', () => {
  test('plain', () => {
    const task = reading.plain(
      `image = "debian:12"\nworkdir = "/app"\nuser = "agent"\ncpus = 2\nmemory_mib = 512\nnetwork = "none"\nagent_timeout_s = 90
test_timeout_s = 5\nmode = "patch"\nenv = { A = "b" }\n[healthcheck]\ncommand = "true"\nretries = 7`,
    )
    const { environment, agent, verifier } = task
    assert.deepEqual(environment, {
      source: { image: 'debian:12' },
      workdir: '/app',
      user: 'agent',
      env: { A: 'b' },
      cpus: 2,
      memoryBytes: 512 * 1024 ** 2,
      storageBytes: null,
      network: 'none',
      buildTimeoutMs: 600_000,
      healthcheck: {
        ...{ command: 'true', intervalMs: 5000, timeoutMs: 30_000 },
        ...{ startPeriodMs: 0, startIntervalMs: 5000, retries: 7 },
      },
    })
    assert.deepEqual([agent.timeoutMs, verifier.timeoutMs, verifier.mode], [90_000, 5000, 'patch'])
    assert.deepEqual(task.solution, { kind: 'script', script: 'solution/solve.sh', folder: 'solution', env: {} })
    assert.equal(reading.plain('image = "x"', { 'solution/solve.sh': undefined }).solution, null)
  })

  test('Harbor, with a verifier of its own', () => {
    const task = reading.harbor(
      `version = "1.0"\nartifacts = ["/app/out", { source = "/logs/x", destination = "x" }]
[task]\nname = "org/greet"\ndescription = "Greets"
[metadata]\nlanguage = "python"
[agent]\ntimeout_sec = 12.5\nuser = 1000\nnetwork_mode = "no-network"
[verifier]\nenvironment_mode = "separate"\nenv = { KEY = "\${JUDGE_KEY:-none}" }\nnetwork_mode = "public"
[verifier.environment]\ndocker_image = "judge:1"
[solution]\nenv = { S = "1" }
[environment]\nmemory = "2G"\nstorage_mb = 100\ncpus = 1\nbuild_timeout_sec = 60\nworkdir = "/app"\nenv = { PLAIN = "$HOME", N = 3 }
[environment.healthcheck]\ncommand = "curl -f localhost"\ninterval_sec = 0\nretries = 1`,
      { 'instruction.md': '<!-- benchmark canary GUID 1 -->\n\nDo it.\n' },
    )
    assert.deepEqual([task.instanceId, task.description, task.language], ['org/greet', 'Greets', 'python'])
    assert.equal(task.problemStatement.trim(), 'Do it.')
    assert.deepEqual(task.agent, { timeoutMs: 12_500, user: '1000' })
    const { environment, verifier } = task
    assert.deepEqual(environment.source, { dockerfile: 'environment/Dockerfile', context: 'environment', exclude: [] })
    assert.deepEqual([environment.memoryBytes, environment.storageBytes], [2 * 1024 ** 3, 100 * 1024 ** 2])
    assert.deepEqual([environment.network, environment.env], ['none', { PLAIN: '$HOME', N: '3' }])
    assert.deepEqual([environment.healthcheck?.intervalMs, environment.healthcheck?.retries], [0, 1])
    assert.ok(verifier.kind === 'harbor')
    assert.deepEqual([verifier.mode, verifier.env, verifier.network], ['artifacts', { KEY: 'none' }, 'public'])
    assert.deepEqual(verifier.environment?.source, { image: 'judge:1' })
    assert.deepEqual(task.artifacts, [
      { source: '/app/out', destination: null },
      { source: '/logs/x', destination: 'x' },
    ])
  })

  test('Harbor, with steps and the fields of earlier versions', () => {
    const { steps, stepsReward, problemStatement, environment, verifier } = reading.harbor(
      `multi_step_reward_strategy = "final"\n[environment]\nallow_internet = false
[[steps]]\nname = "first"\nmin_reward = { safe = 1 }\n[steps.agent]\ntimeout_sec = 5
[[steps]]\nname = "second"\nmin_reward = 0.5`,
      {
        'instruction.md': undefined,
        'solution/solve.sh': undefined,
        'steps/first/instruction.md': 'First.\n',
        'steps/first/tests/test.sh': 'true\n',
        'steps/first/solution/solve.sh': 'true\n',
        'steps/second/instruction.md': 'Second.\n',
        'steps/second/workdir/setup.sh': 'true\n',
      },
    )
    assert.deepEqual([stepsReward, problemStatement, environment.network], ['final', 'First.\n', 'none'])
    assert.deepEqual([verifier.mode, verifier.network], ['fork', 'none'])
    const shown = steps.map(({ name, tests, solution, workdir, agentTimeoutMs, minReward }) => [
      ...[name, tests, solution?.kind, workdir, agentTimeoutMs, minReward],
    ])
    assert.deepEqual(shown, [
      ['first', 'steps/first/tests', 'script', null, 5000, { safe: 1 }],
      ['second', null, undefined, 'steps/second/workdir', null, 0.5],
    ])
  })

  test('Terminal-Bench 1', () => {
    const { environment, verifier, agent } = reading['terminal-bench'](
      'descriptions:\n  - {key: hard, description: no}\n  - {key: base, description: Do it.}\nmax_agent_timeout_sec: 10\nrun_tests_in_same_shell: true',
    )
    assert.ok(verifier.kind === 'terminal-bench')
    assert.deepEqual([agent.timeoutMs, verifier.timeoutMs, verifier.sameShell], [10_000, 60_000, true])
    assert.deepEqual(environment.env, { TEST_DIR: '/tests' })
    assert.ok('dockerfile' in environment.source)
    assert.deepEqual([environment.source.dockerfile, environment.source.context], ['Dockerfile', ''])
    assert.ok(
      ['solution.sh', 'tests', 'run-tests.sh'].every((name) =>
        (environment.source as { exclude: string[] }).exclude.includes(name),
      ),
    )
    const { source } = reading.compose('services: {client: {image: "debian:12"}}').environment
    assert.deepEqual(source, { image: 'debian:12' })
  })

  test('SWE-bench, as rows and as folders', () => {
    const task = reading['swe-bench']('{"FAIL_TO_PASS": ["a b"], "repo": "django/django", "version": 5}')
    assert.ok(task.verifier.kind === 'swe-bench')
    assert.deepEqual([task.failToPass, task.passToPass], [['a b'], ['test_greet.py::test_bye']])
    assert.deepEqual([task.verifier.logParser, task.verifier.repoVersion, task.verifier.mode], ['django', '5', 'patch'])
    const image = 'docker.io/swebench/sweb.eval.x86_64.example_1776_greet-1:latest'
    assert.deepEqual(task.environment.source, { image })
    const folder = reading['swe-bench folder'](sweBenchTask['task.yaml'])
    assert.ok(folder.verifier.kind === 'swe-bench')
    assert.deepEqual([folder.verifier.script, folder.solution], [{ path: 'eval.sh' }, { kind: 'patch' }])
    assert.deepEqual(folder.patch, sweBenchTask['gold.patch'])
    assert.ok('dockerfile' in folder.environment.source && folder.environment.source.exclude.includes('gold.patch'))
  })
})

describe('what cannot be added is refused with its file and field', () => {
  const steps = '[[steps]]\nname = "one"\n'
  const refused: [read: () => Task, message: RegExp][] = [
    [() => reading.plain('image = "a'), /^sample\.toml:1: /],
    [() => reading.plain(''), /^sample\.toml: needs "image", or a file environment\/Dockerfile$/],
    [() => reading.plain('imgae = "a"'), /^sample\.toml: imgae: is not a setting: did you mean "image"\?$/],
    [() => reading.plain('image = "a"\nmemory_mib = "2"'), /^sample\.toml: memory_mib: has to be a number$/],
    [() => reading.plain('image = "a"\nworkdir = "app"'), /workdir: has to be an absolute path/],
    [() => reading.plain('image = "a"\nnetwork = ["a.example"]'), /network: asks for a list of allowed hosts/],
    [() => reading.plain('image = "a"', { 'tests/test.sh': undefined }), /^tests\/test\.sh: is missing$/],
    [() => reading.plain('image = "a"', { 'instruction.md': ' \n' }), /^instruction\.md: is empty$/],
    [() => reading.plain('image = "a"', { 'environment/Dockerfile': 'FROM a' }), /cannot be used together/],
    [() => reading.harbor('[environment]\ngpus = 1'), /^task\.toml: environment\.gpus: asks for a GPU/],
    [() => reading.harbor('[environment]\nos = "windows"'), /environment\.os: asks for "windows"/],
    [() => reading.harbor('[environment]\nnetwork_mode = "allowlist"'), /environment\.network_mode: asks for a list/],
    [
      () => reading.harbor('[environment]\nnetwork_mode = "open"'),
      /has to be one of "public", "no-network", "allowlist"/,
    ],
    [() => reading.harbor('[environment]\nmemory = "lots"'), /environment\.memory: has to be a size/],
    [
      () => reading.harbor('[environment]\nenv = { K = "${KEY}" }'),
      /environment\.env\.K: needs \$KEY .* as in "\$\{KEY:-…\}"/,
    ],
    [
      () => reading.harbor('', { 'environment/docker-compose.yaml': '' }),
      /^environment\/docker-compose\.yaml: asks for several/,
    ],
    [() => reading.harbor('', { 'tests/test.sh': undefined }), /^tests\/test\.sh: is missing$/],
    [() => reading.harbor('artifacts = ["../x"]'), /artifacts: has to be absolute paths/],
    [() => reading.harbor('[[verifier.collect]]\ncommand = "x"'), /verifier\.collect: /],
    [() => reading.harbor(steps), /^steps\/one\/instruction\.md: is missing$/],
    [() => reading.harbor('[[steps]]\nname = "../x"'), /^task\.toml: steps\[0\]\.name: /],
    [() => reading.harbor(steps + steps, { 'steps/one/instruction.md': 'x' }), /steps: has two steps "one"/],
    [() => reading['terminal-bench']('instruction: [\n'), /^task\.yaml:\d+: /],
    [() => reading['terminal-bench']('parser_name: pytest'), /^task\.yaml: instruction: is missing$/],
    [
      () => reading['terminal-bench']('instruction: x\nparser_name: swebench'),
      /parser_name: asks for the parser "swebench"/,
    ],
    [
      () => reading.compose('services: {client: {image: a}, db: {image: b}}'),
      /services\.db: asks for another container/,
    ],
    [
      () => reading.compose('services: {client: {image: a, privileged: true}}'),
      /services\.client\.privileged: asks for/,
    ],
    [() => reading.compose('services: {client: {build: ../other}}'), /build: leads out of the task/],
    [
      () => reading.compose('services: {client: {image: a, volumes: ["/:/host"]}}'),
      /volumes: asks for a folder of the host/,
    ],
    [() => reading['swe-bench']('{"instance_id": null}'), /^rows\.jsonl:1: instance_id: is missing$/],
    [() => reading['swe-bench']('{"FAIL_TO_PASS": "["}'), /^rows\.jsonl:1: FAIL_TO_PASS: has to be a list/],
    [() => reading['swe-bench']('{"FAIL_TO_PASS": []}'), /FAIL_TO_PASS: names no test/],
    [() => reading['swe-bench folder']('instance_id: a', { 'tests.json': '{' }), /^tests\.json: is not JSON$/],
  ]
  for (const [read, message] of refused)
    test(message.source, () => {
      assert.throws(read, { name: 'TaskProblem', message })
    })

  test('a YAML file whose aliases multiply', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]`)
    assert.throws(() => reading['terminal-bench'](['a0: &a0 x', ...lines].join('\n')), /its aliases repeat too much/)
  })
})
