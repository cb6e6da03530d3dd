import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { until } from '../../../support/server.ts'
import { smallLimits, type Part } from '../../subject.ts'

/** What programs inside a computer see of it. */
export const describeGuest: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })
  const line = async (code: string) => (await subject().shell(id, code)).stdout.trim()

  test('nproc shows the processors of the computer, not of the host', async () => {
    assert.equal(await line('nproc'), '1')
    assert.equal(
      await line(
        'python3 -c "import os; print(os.process_cpu_count() if hasattr(os, \'process_cpu_count\') else len(os.sched_getaffinity(0)))"',
      ),
      '1',
    )
  })

  test('free and uptime show the limits and the age of the computer', async (t) => {
    if (!subject().driver.capabilities.ownProcView) return t.skip('no lxcfs here')
    assert.equal(Number(await line("free -b | awk '/Mem:/ {print $2}'")), smallLimits.memoryBytes)
    assert.ok(Number(await line('cut -d. -f1 /proc/uptime')) < 600)
    assert.equal(await line('grep -c ^processor /proc/cpuinfo'), '1')
  })

  test('df shows the limit and the use of the disk, in each of its formats', async (t) => {
    if (!subject().driver.capabilities.diskQuota) return t.skip('no disk limits here')
    const own = await subject().computer(t)
    const show = async (command: string) => (await subject().shell(own, command)).stdout
    const bytes = async () => (await show('df -B1 --output=size,used,avail / | tail -1')).trim().split(/ +/).map(Number)
    const [size, used, free] = await bytes()
    assert.equal(size, smallLimits.diskBytes)
    assert.ok(used! < 1_000_000 && free === size - used!, `${used} used, ${free} free`)

    await show('head -c 50M /dev/zero > /tmp/file')
    const [, more] = await bytes()
    assert.ok(more! - used! >= 50 * 1024 ** 2 && more! - used! < 55 * 1024 ** 2, `${more! - used!} bytes more`)
    // What was deleted counts until btrfs has brought its quota groups up to date.
    await show('rm /tmp/file; head -c 20M /dev/zero > /tmp/other; sync')
    await until(
      () => show('df -m --output=used /tmp'),
      (late) => /^ *Used\n +2[01]\n$/.test(late),
    )

    assert.match(
      await show('df -h'),
      /^Filesystem +Size +Used Avail Use% Mounted on\noverlay +256M +21M +236M +8% \/\n/,
    )
    assert.match(
      await show('df -PT /tmp'),
      /^Filesystem +Type +1024-blocks +Used Available Capacity Mounted on\noverlay +overlay +262144 /,
    )
    assert.doesNotMatch(await show('df'), /\/etc\/|\/dev\/(\.|tty)/)
    assert.match(await show('df -i'), /Inodes IUsed +IFree IUse% Mounted on\noverlay .* - \/\n/)
    const { exit, stdout, stderr } = await subject().shell(own, 'df --total -BG /tmp /none')
    assert.equal(exit.exitCode, 1)
    assert.match(stderr, /^df: \/none: No such file or directory\n$/)
    assert.match(stdout, /1G-blocks .*\noverlay +1G .*\ntotal +1G /)
  })

  test('processor time is limited', async (t) => {
    const half = await subject().computer(t, { limits: { ...smallLimits, cpus: 0.5 } })
    const code = 'import time\nend = time.time() + 1\nwhile time.time() < end: pass\nprint(time.process_time())'
    const used = Number((await subject().python(half, code)).stdout)
    assert.ok(used < 0.75, `${used} s of 1 s`)
  })

  test('orphans are reaped', async () => {
    const code = `
import os
for i in range(100):
    if os.fork() == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.wait()`
    await subject().python(id, code)
    await until(
      () => line("ps -eo stat | grep -c '^Z'"),
      (count) => count === '0',
    )
    assert.ok((await subject().driver.stats(id)).pids < 10)
  })

  test('/dev/shm has room, and every user can use it', async () => {
    assert.ok(Number(await line('df -k --output=size /dev/shm | tail -1')) >= 64 * 1024)
    assert.equal(
      await line('head -c 70M /dev/zero > /dev/shm/x && stat -c %s /dev/shm/x; rm /dev/shm/x'),
      String(70 * 1024 * 1024),
    )
  })

  test('it has its own host name, and resolves it', async (t) => {
    const named = await subject().computer(t, { hostname: 'my-desk' })
    const { stdout } = await subject().shell(
      named,
      'hostname; cat /etc/hostname; getent hosts my-desk | wc -l; getent hosts localhost | wc -l',
    )
    assert.equal(stdout, 'my-desk\nmy-desk\n1\n1\n')
  })

  test('it has name servers', async () => {
    assert.match(await line('cat /etc/resolv.conf'), /^nameserver \d+\.\d+\.\d+\.\d+/m)
  })

  test('its user becomes root with sudo, an unprivileged user on the host', async () => {
    assert.equal(await line('sudo id -u'), '0')
    assert.equal(await line('sudo touch /root/x && sudo stat -c %u /root/x'), '0')
    assert.notEqual(await line("awk '{print $2}' /proc/self/uid_map"), '0')
  })

  test('known escapes for a root user are closed', async () => {
    const refused = [
      'mount -t tmpfs none /mnt',
      'unshare --user true',
      'unshare --net true',
      'echo 1 > /proc/sys/kernel/sysrq',
      'echo b > /proc/sysrq-trigger',
      'mknod /tmp/disk b 8 0',
      'dmesg',
      'date -s 2020-01-01',
      'hostname other',
      'chroot /proc/1/root true && cat /proc/1/environ | grep -q CARREL_DATA',
    ]
    for (const code of refused) {
      const { exit } = await subject().shell(id, code, { user: 'root' })
      assert.notEqual(exit.exitCode, 0, code)
    }
  })

  test('it sees no process of the host', async () => {
    assert.match(await line('cat /proc/1/comm'), /init|catatonit/)
    assert.ok(Number(await line('ls -d /proc/[0-9]* | wc -l')) < 10)
  })
}
