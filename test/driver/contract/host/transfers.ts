import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostOf } from '../../other-host.ts'
import { stdoutWith, type Part } from '../../subject.ts'
import { commonFormats, move, snapshotAfter } from '../transfers.ts'

/** Makes files of every kind, in a root whose image has some of them too. */
const make = `
import os, stat
os.makedirs('/workspace/all/inner')
os.chdir('/workspace/all')
open('file', 'w').write('content')
os.chown('file', 1000, 33)
os.chmod('file', 0o4750)
os.link('file', 'inner/hard')
os.symlink('/etc/passwd', 'absolute')
os.symlink('../../../../../../etc', 'up')
os.lchown('up', 12, 34)
os.mkfifo('fifo', 0o622)
open(b'caf\\xe9\\n', 'w').write('a name that is not text')
with open('sparse', 'wb') as sparse:
    sparse.truncate(1 << 30)
    sparse.seek(1 << 29)
    sparse.write(b'in the middle')
os.setxattr('file', 'user.note', b'\\x00\\xff=\\n')
os.setxattr('inner', 'user.note', b'of a directory')
os.setxattr('inner', 'system.posix_acl_default', bytes.fromhex('0200000001000700ffffffff02000500210000000400050' '0ffffffff10000700ffffffff20000500ffffffff'))
os.mkdir('closed', 0)
os.chmod('inner', 0o3775)
os.utime('inner', ns=(1, 981173106123456789))
os.utime('up', ns=(1, 5), follow_symlinks=False)
os.utime('file', ns=(1, 4102444800000000001))
os.remove('/etc/debian_version')
import shutil
shutil.rmtree('/usr/share/doc')
os.mkdir('/usr/share/doc')
open('/usr/share/doc/new', 'w').write('alone')
`

/** Prints everything about the files that `make` has made. */
const look = `
import os
def show(path):
    found = os.lstat(path)
    kept = {name: os.getxattr(path, name, follow_symlinks=False) for name in sorted(os.listxattr(path, follow_symlinks=False))}
    target = os.readlink(path) if os.path.islink(path) else ''
    # The size of a directory is no fact about it, and the blocks of a file on tmpfs or ext4 are not those on btrfs.
    size = 0 if os.path.isdir(path) else found.st_size
    print(path, oct(found.st_mode), found.st_uid, found.st_gid, size, found.st_mtime_ns, 0 if os.path.isdir(path) else found.st_nlink, target, kept)
for folder, inner, files in sorted(os.walk(b'/workspace/all')):
    show(folder)
    for name in sorted(files) + [name for name in sorted(inner) if os.path.islink(folder + b'/' + name)]: show(folder + b'/' + name)
print(os.path.samefile('/workspace/all/file', '/workspace/all/inner/hard'))
sparse = open('/workspace/all/sparse', 'rb')
print(os.lstat('/workspace/all/sparse').st_blocks < 1000, sparse.seek(1 << 29), sparse.read(13))
print(os.path.exists('/etc/debian_version'), os.listdir('/usr/share/doc'))
`

export const describeTransfersOnHost: Part = (subject) => {
  test('files of every kind arrive as they were: owners, modes, times, attributes, links, holes, deletions', async (t) => {
    const snapshot = await snapshotAfter(t, subject(), `python3 - <<'END'\n${make}\nEND`)
    const [here, there] = [hostOf(subject()), await subject().other()]
    const looking = ['python3', '-c', look]
    const expected = await here.runOn(snapshot, looking)
    assert.match(expected, /^True\nTrue 536870912 b'in the middle'\nFalse \['new'\]$/m)
    for (const format of await commonFormats(here, there)) {
      const moved = await move(t, { from: here, to: there, format }, snapshot)
      assert.equal(await there.runOn(moved, looking), expected, format)
      const back = await move(t, { from: there, to: here, format }, moved)
      assert.equal(await here.runOn(back, looking), expected, `${format}, there and back`)
    }
  })

  test('a snapshot of a running computer, which is written to meanwhile, moves in every format', async (t) => {
    const { driver } = subject()
    const [here, there] = [hostOf(subject()), await subject().other()]
    const computer = await subject().computer(t)
    const round =
      'for i in 1 2 3 4 5 6 7 8; do head -c 100000 /dev/urandom > /workspace/$i; rm -f /workspace/$(( (i + 3) % 8 )); done'
    const writer = await subject().exec(computer, ['bash', '-c', `${round}; echo ready; while :; do ${round}; done`])
    await stdoutWith(writer, 'ready')
    for (const format of await commonFormats(here, there)) {
      const snapshot = `${computer}-${format}`
      t.after(() => driver.deleteSnapshot(snapshot))
      await driver.snapshot(computer, snapshot)
      const moved = await move(t, { from: here, to: there, format }, snapshot)
      const sums = ['bash', '-c', 'cd /workspace; for f in *; do sha256sum "$f"; done']
      assert.equal(await there.runOn(moved, sums), await here.runOn(snapshot, sums))
    }
    await writer.kill('SIGKILL', 'tree')
  })
}
