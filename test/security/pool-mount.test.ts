import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { testDataDirectory, TestServer } from '../support/server.ts'

const pool = join(testDataDirectory, 'pool')
let server: TestServer

before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

/** Returns the options of the pool in the mount table: of the mount, and of its file system. */
function poolMount(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  return lines.find((line) => line.split(' ')[4] === pool)!.split(' ')
}

test("the host's own mount of the pool is nosuid and nodev, and guests keep their set-user-id programs and devices", async () => {
  const options = poolMount()[5]!.split(',')
  assert.ok(options.includes('nosuid') && options.includes('nodev'), options.join())
  const code =
    'sudo id -u; cp /usr/bin/id ~/id; sudo chown root ~/id; sudo chmod 4755 ~/id; ~/id -u; echo x > /dev/null'
  assert.equal((await server.shell(code)).stdout, '0\n0\n')
})

test('data that guests delete returns to the disk, and quotas reflect it soon', (t) => {
  if (!poolMount().includes('btrfs') || !existsSync(`${pool}.img`))
    return t.skip('The pool is no file system of its own')
  const options = poolMount().at(-1)!.split(',')
  assert.ok(options.includes('discard=async') && options.includes('commit=5'), options.join())
})

test('a mount without these options is corrected by the next start', async () => {
  await server.stop()
  execFileSync('mount', ['-o', 'remount,suid,dev', pool])
  assert.ok(!poolMount()[5]!.includes('nosuid'))
  server = await TestServer.start()
  assert.match(poolMount()[5]!, /nosuid,nodev/)
})
