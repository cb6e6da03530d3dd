import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeComputer } from '../../../sdk/testing/fake-computers.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

test('get says why a computer does not run', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const [fields, reason] of [
    [{ state: 'stopped', state_reason: 'spending_limit' }, 'a spending limit of the workspace is used up'],
    [{ state: 'stopped', state_reason: 'out_of_credits' }, 'the workspace has no credit left'],
    [{ state: 'stopped', state_reason: 'some_other' }, 'some other'],
    [{ state: 'failed', state_reason: 'no image', failure_reason: 'no image' }, 'no image'],
    [{ state: 'running' }, undefined],
  ] as const) {
    server.computers.splice(0, 1, fakeComputer('build', fields))
    const { stdout, stderr } = await home.run(['computers', 'get', 'build'], { server })
    assert.equal(/^Reason +(.*)$/m.exec(stdout)?.[1], reason, stderr)
  }
})
