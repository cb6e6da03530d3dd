import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newSession, testDataDirectory, TestServer } from '../support/server.ts'

const breakOut = readFileSync(new URL('./fixtures/break-out.py', import.meta.url), 'utf8')

/** A refusal: anything but `done`, and not a fault of the attempt itself. */
const refusals = new Set([
  'EPERM',
  'EACCES',
  'ENOSYS',
  'EROFS',
  'ENOENT',
  'ENODEV',
  'ENXIO',
  'EAFNOSUPPORT',
  'ESOCKTNOSUPPORT',
  'EPROTONOSUPPORT',
])

/** PID 1 of a computer belongs to its root, and has no more rights than that. */
const ofItsOwnInit = new Set(['trace PID 1', 'write /proc/1/oom_score_adj', 'write /proc/1/mem'])

describe('a guest', { timeout: 300_000 }, () => {
  let server: TestServer
  let hostDirectory: string
  const sessionId = newSession()
  const marker = `marker-${randomBytes(8).toString('hex')}`
  const secret = `secret-${randomBytes(16).toString('hex')}`

  before(async () => {
    hostDirectory = mkdtempSync('/tmp/carrel-guest-')
    writeFileSync(join(hostDirectory, marker), secret, { mode: 0o666 })
    server = await TestServer.start({ env: { HOST_SECRET: secret } })
  })
  after(async () => {
    await server.stop()
    rmSync(hostDirectory, { recursive: true })
  })

  const shell = async (code: string, more: Record<string, unknown> = {}) =>
    (await server.shell(code, { sessionId, ...more })).stdout as string

  for (const [user, prefix] of [
    ['its user', ''],
    ['its root', 'sudo '],
  ] as const)
    describe(`as ${user}`, () => {
      let results: Record<string, string>
      before(async () => {
        await server.post('/files/write', { path: '/tmp/break-out.py', content: breakOut, sessionId })
        const { stdout, stderr } = await server.shell(`${prefix}python3 /tmp/break-out.py`, { sessionId })
        assert.doesNotMatch(stderr, /Traceback/)
        results = JSON.parse(stdout)
      })

      test('is refused by the kernel in each of more than 100 attempts to escape', () => {
        assert.ok(Object.keys(results).length > 100, `${Object.keys(results).length} attempts`)
        const wrong = Object.entries(results).filter(
          ([attempt, answer]) => !refusals.has(answer) && !(prefix === 'sudo ' && ofItsOwnInit.has(attempt)),
        )
        assert.deepEqual(wrong, [])
      })

      test('finds nothing of the host through the file descriptors, roots and folders of processes', async () => {
        const find = [
          'import os, itertools',
          `names = ["${hostDirectory}/${marker}", "${testDataDirectory}/owner.token"]`,
          'found = []',
          'for pid in [p for p in os.listdir("/proc") if p.isdigit()] + ["self"]:',
          '  places = [f"/proc/{pid}/root", f"/proc/{pid}/cwd"] + [f"/proc/{pid}/fd/{fd}" for fd in range(64)]',
          '  for place, up in itertools.product(places, ["", "/..", "/../../../../../.."]):',
          '    for name in names:',
          '      if os.path.exists(place + up + name): found.append(place + up + name)',
          'print(found)',
        ].join('\n')
        await server.post('/files/write', { path: '/tmp/find.py', content: find, sessionId })
        assert.equal(await shell(`${prefix}python3 /tmp/find.py`), '[]\n')
      })

      test('finds no secret of the host in any environment', async () => {
        const all = await shell(`${prefix}cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sort -u`)
        assert.match(all, /^HOME=/m)
        for (const text of [secret, 'HOST_SECRET', 'CARREL_DATA', server.token, testDataDirectory])
          assert.ok(!all.includes(text), `${text} is in ${all}`)
      })

      test('sees only the processes of its own computer', async () => {
        const processes = await shell(`${prefix}ps -e -o pid= -o args=`)
        assert.ok(processes.trim().split('\n').length < 12, processes)
        assert.doesNotMatch(processes, /src\/main\.ts|monitor|lxcfs|crun|systemd/)
        assert.equal(await shell(`${prefix}kill -0 ${server.process.pid} 2>&1 | grep -c 'No such process'`), '1\n')
      })

      test('cannot read masked paths', async () => {
        for (const path of ['kcore', 'keys', 'timer_list', 'latency_stats', 'sched_debug'])
          assert.equal(await shell(`${prefix}head -c 16 /proc/${path} 2>/dev/null | wc -c`), '0\n', path)
        for (const path of ['/sys/firmware', '/sys/kernel', '/proc/scsi', '/proc/acpi'])
          assert.equal(await shell(`${prefix}ls -A ${path} 2>/dev/null | wc -l`), '0\n', path)
        assert.equal(await shell(`${prefix}dmesg 2>/dev/null | wc -l`), '0\n')
      })
    })

  test("does not change the host's name or time, and cannot read its files", async () => {
    const before = Date.now()
    assert.notEqual(await shell('hostname'), `${hostname()}\n`)
    assert.ok(Math.abs(Date.now() - before) < 60_000)
    assert.equal(readFileSync(join(hostDirectory, marker), 'utf8'), secret)
    assert.equal(
      await shell(`cat ${hostDirectory}/${marker} ${testDataDirectory}/owner.token 2>/dev/null | wc -c`),
      '0\n',
    )
  })

  test('has only devices that are not hardware', async () => {
    const names = await shell(
      'for file in /dev/* /dev/*/*; do if [ ! -L $file ] && [ -c $file -o -b $file ]; then echo $file; fi; done | sort',
    )
    assert.deepEqual(
      names
        .trim()
        .split('\n')
        .filter((name) => !name.startsWith('/dev/pts/')),
      ['/dev/full', '/dev/null', '/dev/random', '/dev/tty', '/dev/urandom', '/dev/zero'],
    )
  })

  test('is root inside, and unprivileged outside', async () => {
    assert.equal(await shell('sudo id -u'), '0\n')
    const { id, processId } = (await server.post('/process/start', { command: 'exec sudo sleep 60', sessionId })).body
    const ids = () =>
      readFileSync(`/proc/${hostPid(id)}/status`, 'utf8')
        .match(/^[UG]id:.*$/gm)!
        .flatMap((line) => line.split('\t').slice(1).map(Number))
    assert.ok(
      ids().every((id) => id >= 65_536),
      String(ids()),
    )
    await server.post('/process/kill', { processId, signal: 'SIGKILL', sessionId })
  })

  test('runs under a system call filter, with few capabilities, in its own namespaces', async () => {
    const status = await shell('sudo cat /proc/self/status')
    assert.match(status, /^Seccomp:\t2$/m)
    const effective = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(status)![1]}`)
    for (const [name, bit] of Object.entries({
      SYS_ADMIN: 21,
      SYS_PTRACE: 19,
      SYS_MODULE: 16,
      NET_ADMIN: 12,
      SYS_RAWIO: 17,
      SYS_TIME: 25,
      SYS_BOOT: 22,
      SYS_RESOURCE: 24,
      DAC_READ_SEARCH: 2,
      SYS_NICE: 23,
      LINUX_IMMUTABLE: 9,
      MAC_ADMIN: 33,
      SYSLOG: 34,
      BPF: 39,
      PERFMON: 38,
    }))
      assert.equal((effective >> BigInt(bit)) & 1n, 0n, name)
    for (const name of ['user', 'net', 'mnt', 'pid', 'ipc', 'uts', 'cgroup'])
      assert.notEqual(
        await shell(`readlink /proc/self/ns/${name}`),
        `${readlinkSync(`/proc/${server.process.pid}/ns/${name}`)}\n`,
        name,
      )
  })

  test('is killed first when the host runs out of memory', async () => {
    const { stdout } = await server.shell('cat /proc/self/oom_score_adj /proc/1/oom_score_adj', {
      sessionId: newSession(),
    })
    assert.equal(stdout, '500\n500\n')
  })

  test('has an init with no more rights than its root', async () => {
    const rights = (pid: string) => shell(`sudo grep -E '^(Cap(Prm|Eff|Bnd)|Uid|Seccomp:)' /proc/${pid}/status`)
    assert.equal(await rights('1'), await rights('self'))
  })

  test('that waits for the runtime gets access to neither its program nor its memory', async () => {
    const wait = [
      'import os, time',
      'seen, taken = set(), set()',
      'end = time.time() + 4',
      'def take(path, flags):',
      '  try: os.close(os.open(path, flags)); taken.add(path.split("/")[-1])',
      '  except OSError: pass',
      'while time.time() < end:',
      '  for pid in os.listdir("/proc"):',
      '    if not pid.isdigit(): continue',
      '    try: name = open(f"/proc/{pid}/comm").read().strip()',
      '    except OSError: continue',
      '    if name in ("bash", "sleep", "python3", "sudo", "true", ".init", "catatonit", "tini"): continue',
      '    seen.add(name)',
      '    take(f"/proc/{pid}/exe", os.O_WRONLY)',
      '    take(f"/proc/{pid}/mem", os.O_RDWR)',
      '    take(f"/proc/{pid}/environ", os.O_RDONLY)',
      '    take(f"/proc/{pid}/fd/3", os.O_RDONLY)',
      '    take(f"/proc/{pid}/root/tmp", os.O_RDONLY)',
      'print(sorted(seen), sorted(taken))',
    ].join('\n')
    await server.post('/files/write', { path: '/tmp/wait.py', content: wait, sessionId })
    const waiting = shell('sudo python3 /tmp/wait.py')
    for (let started = 0; started < 80; started++) await shell('true')
    const answer = await waiting
    assert.ok(answer.endsWith(' []\n'), answer)
  })

  test("cannot find out the host's boot parameters, hardware and activity", async () => {
    const files = ['cmdline', 'config.gz', 'consoles', 'interrupts', 'iomem', 'kallsyms', 'partitions', 'softirqs']
    for (const name of [...files, 'buddyinfo', 'pagetypeinfo', 'zoneinfo'])
      assert.equal(await shell(`sudo cat /proc/${name} 2>/dev/null | wc -c`), '0\n', name)
    const folders = [
      '/proc/pressure',
      '/proc/fs',
      '/proc/irq',
      '/proc/bus',
      '/proc/driver',
      '/sys/block',
      '/sys/module',
      '/sys/fs',
      '/sys/class/bdi',
      '/sys/devices/virtual/bdi',
      '/sys/devices/system/node',
    ]
    for (const path of [...folders, '/sys/class/block', '/sys/dev/block', '/sys/devices/virtual/block'])
      assert.equal(await shell(`sudo find ${path} -mindepth 1 2>/dev/null | wc -l`), '0\n', path)
    assert.equal(await shell('sudo find / -name backing_file 2>/dev/null'), '')
    assert.equal(await shell('ls -d /sys/devices/pci*/* 2>/dev/null'), '')
  })

  test('sees no folder of the host in its mount table', async () => {
    const mounts = await shell('cat /proc/self/mountinfo /proc/1/mountinfo')
    for (const place of [
      testDataDirectory,
      '/run/',
      '/var/',
      '/usr/',
      'carrel',
      'pool',
      '/dev/vd',
      '/dev/sd',
      '/dev/nvme',
    ])
      assert.ok(!mounts.includes(place), `${place} is in ${mounts}`)
    assert.ok(!mounts.includes(hostDirectory) && !mounts.includes('/home/'), mounts)
    const types = new Set(
      mounts
        .trim()
        .split('\n')
        .map((line) => line.split(' - ')[1]!.split(' ')[0]),
    )
    for (const type of types)
      assert.match(type!, /^(overlay|btrfs|proc|sysfs|tmpfs|devpts|mqueue|devtmpfs|ext4|xfs|fuse\.lxcfs|cgroup2?)$/)
  })

  for (const cwd of [
    '/proc/self/fd/3/../../../../..',
    '/proc/self/fd/7',
    '/proc/self/fd/8/../..',
    '/proc/1/cwd',
    '/proc/1/root/proc/1/root',
    '/proc/self/cwd',
  ])
    test(`started in ${cwd} is within its own files, or is not started`, async () => {
      const { status, body } = await server.post('/execute', {
        code: `pwd; ls -A . | head -50; ls -d ./${hostDirectory} .${testDataDirectory} 2>/dev/null; true`,
        language: 'shell',
        sessionId,
        cwd,
      })
      if (status === 200) {
        assert.ok(!body.result.stdout.includes(marker) && !body.result.stdout.includes('carrel'), body.result.stdout)
      } else assert.ok(status === 404 || status === 400, `${status} ${body.error}`)
    })

  test('cannot inject code into the start of a program through the environment', async () => {
    const { body } = await server.post('/execute', {
      code: 'echo ran',
      language: 'shell',
      sessionId,
      env: {
        LD_PRELOAD: '/tmp/evil.so',
        LISTEN_FDS: '9',
        _LIBCRUN_X: '1',
        NOTIFY_SOCKET: '/tmp/notify',
        CARREL_PROCESS_ID: 'mine',
        PATH: '/tmp/evil:/usr/bin:/bin',
      },
    })
    assert.equal(body.result.exitCode, 0)
    assert.equal(body.result.stdout, 'ran\n')
    assert.equal((await server.call('GET', '/health')).status, 200)
  })

  test('that replaces the programs and users of its computer gains nothing outside', async () => {
    const own = newSession()
    const run = (code: string) => server.shell(code, { sessionId: own })
    await run(`echo 'node:x:0:0::/root:/bin/bash' | sudo tee /etc/passwd > /dev/null`)
    const { body } = await server.post('/execute', { code: 'id -u', language: 'shell', sessionId: own })
    // A name resolves to the ids in the guest's files, which belong to the user namespace.
    assert.match(String(body.result?.stdout ?? body.code), /^(0|1000)\n$|[A-Z_]+/)
    const { id, processId } = (await server.post('/process/start', { command: 'sleep 60', sessionId: own })).body
    if (id !== undefined) {
      const [uid] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${hostPid(id)}/status`, 'utf8'))!.slice(1)
      assert.ok(Number(uid) >= 65_536)
      await server.post('/process/kill', { processId, signal: 'SIGKILL', sessionId: own })
    }
  })
})

function isInGroupOf(pid: string, id: string): boolean {
  return readFileSync(`/proc/${pid}/cgroup`, 'latin1')
    .split('\n')
    .some((line) => line.endsWith(`/${id}`))
}

/** Returns the host's id of a process; responses contain the id inside. */
function hostPid(id: string): string {
  const marker = `CARREL_PROCESS_ID=${id}\0`
  const found = readdirSync('/proc').find((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        (isInGroupOf(name, id) || readFileSync(`/proc/${name}/environ`, 'latin1').includes(marker))
      )
    } catch {
      return false
    }
  })
  if (found === undefined) throw new Error(`no process has the id ${id}`)
  return found
}
