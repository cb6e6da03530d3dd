import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountReadOnly } from '../system/detached-mount.ts'
import { DiskRoot } from '../files/rooted.ts'
import { confinedCommand, Searches } from './searches.ts'

test('the program that searches sees programs and one directory alone, and may only read', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-search-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const name of ['tree', 'tree/inner', 'root']) mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'secret'), 'a secret')
  writeFileSync(join(directory, 'tree/inner/private'), 'content\n', { mode: 0o600 })
  symlinkSync('inner', join(directory, 'tree/link'))
  const fd = openSync(join(directory, 'tree'), constants.O_DIRECTORY)
  t.after(() => closeSync(fd))
  const run = (place: string, code: string) => {
    const tree = mountReadOnly(fd)
    const [program, ...args] = confinedCommand({ mountPoint: join(directory, 'root'), directory: place }, [
      'sh',
      '-c',
      code,
    ])
    try {
      return spawnSync(program!, args, { stdio: ['ignore', 'pipe', 'pipe', tree], encoding: 'utf8' })
    } finally {
      closeSync(tree)
    }
  }
  const code = `cat private; ls /; ls /tree; setpriv --dump | grep -i "^uid\\|capab"
for path in / /usr /tree /tree/inner; do touch $path/new 2>&- && echo "wrote $path"; done
ls -d ../../secret ../../../secret ${directory} /etc /proc /root /dev 2>&-; wc -l < /usr/nothing 2>&-; chroot / true 2>&- && echo changed root; :`
  const { stdout } = run('inner', code)
  const [content, ...lines] = stdout.split('\n').filter(Boolean)
  const roots = lines.filter((line) => /^\w+$/.test(line))
  assert.equal(content, 'content', stdout)
  assert.deepEqual(
    roots.filter((name) => !/^(?:usr|bin|sbin|lib\w*)$/.test(name)),
    ['tree', 'inner', 'link'],
  )
  assert.deepEqual(
    lines.filter((line) => !roots.includes(line)),
    [
      'uid: 65534',
      'Inheritable capabilities: dac_read_search',
      'Ambient capabilities: dac_read_search',
      'Capability bounding set: dac_read_search',
    ],
  )
  for (const place of ['link', '../tree', '..', '/tree/inner', 'none']) assert.equal(run(place, 'ls').status, 44, place)
})

test('an expression that is too large is refused, whatever it would find', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-search-'))
  t.after(() => rmSync(directory, { recursive: true }))
  mkdirSync(join(directory, 'tree'))
  writeFileSync(join(directory, 'tree/file'), 'aaa\n')
  const root = new DiskRoot(join(directory, 'tree'))
  t.after(() => closeSync(root.fd))
  const bounds = { maxMatches: 10, maxBytes: 1000, timeoutMs: 60_000 }
  const search = (pattern: string, ignoresCase = false) =>
    new Searches(join(directory, 'root')).search(root, '/', {
      ...bounds,
      top: '/',
      pattern,
      isRegex: true,
      ignoresCase,
    })
  assert.equal((await search('(a{1,100}){1,100}')).matches.length, 1)
  for (const ignoresCase of [false, true])
    await assert.rejects(search('(a{1,1000}){1,1000}', ignoresCase), { code: 'invalid_request' })
})
