import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { IN_CREATE, IN_MOVED_FROM, IN_MOVED_TO, Inotify, type InotifyEvent } from './inotify.ts'

const fixture = fileURLToPath(new URL('fixtures/watch-root.ts', import.meta.url))

/** Runs the fixture in a new user namespace, which has separate limits within those of the host. */
async function watchWith(setting: string, value: number): Promise<string> {
  const script = `echo ${value} > /proc/sys/user/${setting} && exec "$0" "$1"`
  const args = ['--user', '--map-root-user', 'sh', '-c', script, process.execPath, fixture]
  return (await promisify(execFile)('unshare', args)).stdout.trim()
}

test('the error for a host without free queues or watches names the setting to raise', async () => {
  assert.equal(await watchWith('max_inotify_instances', 10), 'watched')
  assert.match(await watchWith('max_inotify_instances', 0), /^no_capacity .* sysctl fs\.inotify\.max_user_instances$/)
  assert.match(await watchWith('max_inotify_watches', 0), /^no_capacity .* sysctl fs\.inotify\.max_user_watches$/)
})

test('events have names in any script, and both events of a move have one cookie', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-inotify-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const seen: InotifyEvent[] = []
  const done = Promise.withResolvers<void>()
  const inotify = new Inotify((events) => {
    seen.push(...events)
    if (events.some(({ mask }) => mask & IN_MOVED_TO)) done.resolve()
  })
  t.after(() => inotify.close())
  const watch = inotify.add(openSync(directory, 'r'))
  const long = '長'.repeat(85)
  writeFileSync(join(directory, long), 'x')
  renameSync(join(directory, long), join(directory, 'a b\nc'))
  await done.promise
  const of = (bit: number) => seen.find(({ mask }) => mask & bit)!
  assert.deepEqual([of(IN_CREATE).name, of(IN_MOVED_FROM).name, of(IN_MOVED_TO).name], [long, long, 'a b\nc'])
  assert.ok(of(IN_MOVED_FROM).cookie > 0)
  assert.equal(of(IN_MOVED_FROM).cookie, of(IN_MOVED_TO).cookie)
  assert.ok(seen.every((event) => event.watch === watch))
})
