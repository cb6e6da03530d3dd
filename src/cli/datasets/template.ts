/** A dataset of the plain format, by the paths of its files: docs/DATASETS.md shows it too. */
export const template: Record<string, string> = {
  'dataset.toml': 'description = "My first tasks"\n',
  'hello/sample.toml': `# What the container is made of: an image here, or a Dockerfile in environment/.
image = "debian:12"
workdir = "/root"

# Everything else has a default:
# description = "One line for people"
# user = "root"
# env = { NAME = "value" }
# cpus = 1
# memory_mib = 1024
# network = "none"            # "public" unless it says otherwise
# agent_timeout_s = 600       # no limit
# test_timeout_s = 600
# mode = "fork"               # "patch" carries only the changes of the work directory to the tests
`,
  'hello/instruction.md': 'Write the text "hello" into the file greeting.txt.\n',
  'hello/tests/test.sh': `#!/bin/sh
# Runs after the agent, in the work directory, with this folder at /tests. Exit code 0 passes.
grep -qx hello greeting.txt
`,
  'hello/solution/solve.sh': `#!/bin/sh
# Solves the task, to show that the tests can pass. Agents never see it, nor the tests.
echo hello > greeting.txt
`,
}
