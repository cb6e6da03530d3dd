import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CliHome, resultOf, type CliResult } from '../../src/cli/testing/run-cli.ts'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024

describe('carrel cp', { timeout: 300_000 }, () => {
  let server: TestServer
  const home = new CliHome()
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(async () => {
    home[Symbol.dispose]()
    await server.stop()
  })

  const env = () => ({ CARREL_URL: server.url, CARREL_TOKEN: server.token })
  const carrel = (args: string[], input?: Uint8Array | string): Promise<CliResult> =>
    home.run(['--session', sessionId, ...args], { env: env(), input })
  const copy = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await carrel(['cp', ...args])
    assert.equal(exitCode, 0, stderr)
    assert.equal(stderr, '')
    return stdout
  }
  const shell = async (code: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await server.shell(code, { sessionId })
    assert.equal(exitCode, 0, stderr)
    return stdout
  }
  const put = (path: string, content: string | Uint8Array, mode = 0o644) => {
    const full = join(home.path, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, content)
    chmodSync(full, mode)
  }
  const isNowhere = async () => {
    assert.equal(await shell('ls -A /tmp'), '')
    assert.deepEqual(
      readdirSync(home.path).filter((name) => name.includes('part')),
      [],
    )
  }

  test('copies a file in and out with its bytes and its mode', async () => {
    const bytes = randomBytes(3 * MiB + 7)
    put('tool', bytes, 0o755)
    assert.equal(await copy('tool', ':'), 'Copied 3.0 MiB to /workspace/tool\n')
    assert.equal(await shell('stat -c "%a %s %U" tool'), `755 ${bytes.length} node\n`)
    await copy('tool', ':bin/other')
    assert.equal(await shell('stat -c %a bin/other'), '755\n')
    assert.equal(await copy(':bin/other', 'back'), 'Copied 3.0 MiB to back\n')
    assert.ok(readFileSync(join(home.path, 'back')).equals(bytes))
    assert.equal(statSync(join(home.path, 'back')).mode & 0o777, 0o755)
    put('файл "1"; 数据.txt', 'any script')
    await copy('файл "1"; 数据.txt', ':')
    await copy(':файл "1"; 数据.txt', 'копия')
    assert.equal(readFileSync(join(home.path, 'копия'), 'utf8'), 'any script')
    mkdirSync(join(home.path, 'folder'))
    await copy(':tool', 'folder')
    await copy(':tool', 'new/')
    for (const path of ['folder/tool', 'new/tool']) assert.ok(readFileSync(join(home.path, path)).equals(bytes))
    await isNowhere()
  })

  test('keeps the mode of a file, also where the user of the sandbox may not write', async () => {
    put('secret-tool', 'x', 0o711)
    await copy('secret-tool', ':/root/secret-tool')
    assert.equal(await shell('sudo stat -c "%a %s" /root/secret-tool'), '711 1\n')
    put('plain-tool', 'x', 0o644)
    await copy('plain-tool', ':/root/secret-tool')
    assert.equal(await shell('sudo stat -c "%a" /root/secret-tool'), '644\n')
  })

  test('copies a folder in and out completely: modes, times, links, empty folders, names in any script', async () => {
    put('app/run.sh', 'echo hi\n', 0o750)
    put('app/private', '', 0o600)
    put('app/données/数据 😀.txt', 'unicode')
    put('app/it\'s\n"odd"/-rf', 'odd')
    put(`app/${'d'.repeat(120)}/${'f'.repeat(200)}`, 'long')
    mkdirSync(join(home.path, 'app/empty'), { mode: 0o700 })
    symlinkSync('/usr/bin/env', join(home.path, 'app/absolute'))
    symlinkSync('../run.sh', join(home.path, 'app/empty/up'))
    symlinkSync('nowhere', join(home.path, 'app/broken'))
    linkSync(join(home.path, 'app/run.sh'), join(home.path, 'app/same.sh'))
    utimesSync(join(home.path, 'app/run.sh'), 1_000_000, 1_000_000)
    await copy('app', ':')
    assert.equal(
      await shell('cd app; stat -c "%a %Y %h" run.sh; stat -c %a private empty'),
      '750 1000000 2\n600\n700\n',
    )
    assert.equal(
      await shell('cd app; readlink absolute empty/up broken; cat données/*'),
      '/usr/bin/env\n../run.sh\nnowhere\nunicode',
    )

    await copy(':app', 'out')
    const listing = (folder: string) =>
      execFileSync(
        'bash',
        ['-c', String.raw`cd "$0" && find . -mindepth 1 -printf '%P %y %m %l %T@\n' | sort`, folder],
        {
          encoding: 'utf8',
        },
      )
    const withoutFolderTimes = (text: string) => text.replaceAll(/^(.* [dl] .*) \S+$/gm, '$1')
    assert.equal(
      withoutFolderTimes(listing(join(home.path, 'out'))),
      withoutFolderTimes(listing(join(home.path, 'app'))).replaceAll(/\.\d{10}$/gm, '.0000000000'),
    )
    assert.equal(readFileSync(join(home.path, 'out/it\'s\n"odd"/-rf'), 'utf8'), 'odd')
    assert.equal(readlinkSync(join(home.path, 'out/absolute')), '/usr/bin/env')
    await isNowhere()
  })

  test('copies a folder into an existing one, and with "/." its content', async () => {
    put('src/a', 'a')
    chmodSync(join(home.path, 'src'), 0o750)
    await shell('mkdir -p into merged && chmod 711 merged')
    await copy('src', ':into')
    await copy('src/.', ':merged')
    await copy('src', ':fresh')
    assert.equal(await shell('cat into/src/a merged/a fresh/a'), 'aaa')
    assert.equal(await shell('stat -c %a merged fresh into/src'), '711\n750\n750\n')
    await copy(':fresh', 'fresh')
    assert.equal(statSync(join(home.path, 'fresh')).mode & 0o777, 0o750)
    mkdirSync(join(home.path, 'here'))
    await copy(':into', 'here')
    await copy(':into/.', 'here')
    assert.ok(existsSync(join(home.path, 'here/into/src/a')) && existsSync(join(home.path, 'here/src/a')))
  })

  test('copies links to folders as links, also circular ones', async () => {
    put('loops/file', 'x')
    symlinkSync('..', join(home.path, 'loops/up'))
    symlinkSync('.', join(home.path, 'loops/self'))
    assert.equal(await copy('loops', ':'), 'Copied 1 B to /workspace/loops\n')
    assert.equal(await shell('readlink loops/up loops/self; ls -A loops'), '..\n.\nfile\nself\nup\n')
    await copy(':loops', 'loops-back')
    assert.equal(readlinkSync(join(home.path, 'loops-back/up')), '..')
  })

  test('copies names that are not text byte for byte', async () => {
    const name = Buffer.from('\xff\xfe name', 'latin1')
    const long = Buffer.from(`\xe9${'l'.repeat(180)}`, 'latin1')
    const at = (folder: string, ...names: Buffer[]) =>
      Buffer.concat(
        [join(home.path, folder), ...names].flatMap((part) => [Buffer.from(part), Buffer.from('/')]),
      ).subarray(0, -1)
    mkdirSync(join(home.path, 'bytes'))
    mkdirSync(at('bytes', long))
    writeFileSync(at('bytes', name), 'one')
    writeFileSync(at('bytes', long, name), 'two')
    symlinkSync(name, at('bytes', Buffer.from('link')))
    writeFileSync(join(home.path, 'bytes/plain'), 'rest')
    assert.equal(await copy('bytes', ':'), 'Copied 10 B to /workspace/bytes\n')
    assert.equal(
      await shell(String.raw`cat bytes/$'\xff\xfe name' bytes/*/$'\xff\xfe name' bytes/link bytes/plain`),
      'onetwoonerest',
    )
    await copy(':bytes', 'bytes-back')
    assert.equal(readFileSync(at('bytes-back', name), 'utf8'), 'one')
    assert.equal(readFileSync(at('bytes-back', long, name), 'utf8'), 'two')
    assert.ok(readlinkSync(at('bytes-back', Buffer.from('link')), { encoding: 'buffer' }).equals(name))
  })

  test('leaves nothing of a failed copy of a folder, so that the next copy goes to the same place', async () => {
    put('once/file', 'x')
    await shell('sudo mkdir /protected')
    assert.equal((await carrel(['cp', 'once', ':/protected/once'])).exitCode, 1)
    await shell('sudo chmod 777 /protected')
    await shell(`printf '#!/bin/sh\n/bin/tar "$@"; exit 2\n' > tar; chmod +x tar; sudo mv tar /usr/local/bin/tar`)
    const failed = await carrel(['cp', 'once', ':/protected/once'])
    assert.equal(failed.exitCode, 1)
    assert.match(failed.stderr, /Cannot unpack "\/protected\/once" in the sandbox/)
    await shell('sudo rm /usr/local/bin/tar')
    assert.equal(await shell('ls -A /protected'), '')
    await copy('once', ':/protected/once')
    assert.equal(await shell('ls -A /protected /protected/once'), '/protected:\nonce\n\n/protected/once:\nfile\n')
  })

  test('reports the size of the files as the size of a folder', async () => {
    await shell('mkdir -p hollow/in; mkdir sized; printf 1234567 > sized/a; ln sized/a sized/b')
    assert.equal(await copy(':hollow', 'hollow'), 'Copied 0 B to hollow\n')
    assert.equal(await copy(':sized', 'sized'), 'Copied 7 B to sized\n')
    assert.equal(await copy('sized', ':again'), 'Copied 7 B to /workspace/again\n')
    assert.equal(await shell('stat -c %h again/b'), '2\n')
  })

  test('copies a folder out that is larger than the free space of the disk', async (t) => {
    if (skipsWithoutDiskLimits(t, server)) return
    const { stdout } = await server.shell('df --output=avail -B1 / | tail -1', { sessionId })
    const free = Number(stdout)
    const size = Math.floor(free * 0.7)
    await shell(`mkdir large && head -c ${size} /dev/zero > large/zeros`)
    await copy(':large', 'large')
    assert.equal(statSync(join(home.path, 'large/zeros')).size, size)
    await shell('rm -r large')
    rmSync(join(home.path, 'large'), { recursive: true })
  })

  test('takes "-" as stdin and stdout', async () => {
    const bytes = randomBytes(100_000)
    assert.equal((await carrel(['cp', '-', ':piped'], bytes)).stdout, 'Copied 97.7 KiB to /workspace/piped\n')
    assert.ok((await carrel(['cp', ':piped', '-'])).bytes.equals(bytes))
    await shell('mkdir tarred && echo x > tarred/x')
    const { bytes: archive } = await carrel(['cp', ':tarred', '-'])
    assert.match(execFileSync('tar', ['-t'], { input: archive, encoding: 'utf8' }), /^\.\/\n\.\/x\n$/)
  })

  test('takes the name of a sandbox before the colon', async () => {
    const other = newSession()
    put('one', 'one')
    await copy('one', `${other}:one`)
    const { stdout } = await server.shell('cat one', { sessionId: other })
    assert.equal(stdout, 'one')
    assert.equal(JSON.parse(await copy(`${other}:one`, 'two', '--json')).path, 'two')
  })

  test('refuses a tar from the sandbox whose paths escape, and leaves nothing', async () => {
    await shell(String.raw`
      mkdir -p evil fake && echo bad > evil/file
      cat > fake/tar <<'END'
#!/usr/bin/python3
import io, os, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
def add(name, kind=tarfile.REGTYPE, link=''):
    info = tarfile.TarInfo(name); info.type = kind; info.linkname = link; info.size = 3 if kind == tarfile.REGTYPE else 0
    out.addfile(info, io.BytesIO(b'bad'))
case = open('/workspace/case').read().strip()
if case == 'parent': add('../escaped')
if case == 'absolute': add('/tmp/carrel-escaped')
if case == 'through': add('link', tarfile.SYMTYPE, '..'); add('link/escaped')
if case == 'hard': add('hard', tarfile.LNKTYPE, '../secret')
if case == 'links': add('link', tarfile.SYMTYPE, '..'); add('link/inner', tarfile.SYMTYPE, 'x')
out.close()
END
      chmod +x fake/tar; sudo cp fake/tar /usr/local/bin/tar`)
    put('secret', 'secret')
    for (const kind of ['parent', 'absolute', 'through', 'hard', 'links']) {
      await shell(`echo ${kind} > case`)
      const { exitCode, stderr } = await carrel(['cp', ':evil', 'got'])
      const files = ['escaped', '../escaped', 'inner'].filter((name) => existsSync(join(home.path, name)))
      assert.deepEqual(files, [], kind)
      assert.ok(!existsSync('/tmp/carrel-escaped'))
      if (kind === 'through') {
        // The link is created last: the file is in a folder of that name, or nowhere.
        if (exitCode === 0) assert.equal(readFileSync(join(home.path, 'got/link/escaped'), 'utf8'), 'bad')
        rmSync(join(home.path, 'got'), { recursive: true, force: true })
        continue
      }
      assert.equal(exitCode, 1, kind)
      assert.match(stderr, /Cannot unpack ".*": it would be outside|Cannot unpack/, kind)
      assert.ok(!existsSync(join(home.path, 'got')), kind)
    }
    await shell('sudo rm /usr/local/bin/tar')
    await isNowhere()
  })

  test('reports what cannot be copied in a sentence', async () => {
    await shell('mkdir -p locked/in && chmod 0 locked/in && echo x > plain')
    put('plain', 'x')
    mkdirSync(join(home.path, 'some'), { recursive: true })
    for (const [args, code, message] of [
      [['nope', ':'], 1, /Cannot stat "nope": the file does not exist/],
      [[':nope', '.'], 1, /nope.*NOT_FOUND/],
      [[':locked', 'x'], 1, /Cannot pack "\/workspace\/locked" in the sandbox: .*Permission denied/],
      [['some', ':plain'], 1, /Cannot unpack "\/workspace\/plain" in the sandbox: a file is there/],
      [[':bin', 'plain'], 1, /a file is there/],
      [['a', 'b'], 2, /Exactly one of the two has to be in a sandbox/],
      [[':a', ':b'], 2, /Exactly one of the two has to be in a sandbox/],
    ] as [string[], number, RegExp][]) {
      const { exitCode, stderr } = await carrel(['cp', ...args])
      assert.equal(exitCode, code, args.join(' '))
      assert.match(stderr, message)
    }
    await shell('chmod 700 locked/in')
    await isNowhere()
  })

  test('leaves nothing of a copy that is interrupted', async () => {
    await shell('mkdir big && head -c 200M /dev/urandom > big/file')
    for (const [args, signal, code] of [
      [[':big/file', 'stopped'], 'SIGINT', 130],
      [[':big', 'stopped'], 'SIGTERM', 143],
    ] as [string[], NodeJS.Signals, number][]) {
      const child = home.spawn(['--session', sessionId, 'cp', ...args], { env: env() })
      const result = resultOf(child)
      const isUnderWay = () => readdirSync(home.path).some((name) => name.includes('part'))
      while (!isUnderWay() && child.exitCode === null) await new Promise((resolve) => setImmediate(resolve))
      child.kill(signal)
      const { exitCode, stderr } = await result
      assert.equal(exitCode, code)
      assert.match(stderr, new RegExp(`^carrel: The copy was stopped by ${signal}: no file is left half-written\n$`))
      assert.ok(!existsSync(join(home.path, 'stopped')))
    }
    await isNowhere()
  })

  test('leaves nothing in the sandbox of a copy that is interrupted', async () => {
    mkdirSync(join(home.path, 'huge'))
    writeFileSync(join(home.path, 'huge/file'), '')
    truncateSync(join(home.path, 'huge/file'), 4 * 1024 * MiB)
    const child = home.spawn(['--session', sessionId, 'cp', 'huge', ':stopped'], { env: env() })
    const result = resultOf(child)
    await until(
      () => shell('ls -A /workspace'),
      (names) => names.includes('.carrel-cp-'),
    )
    child.kill('SIGINT')
    const { exitCode, stderr } = await result
    assert.equal(exitCode, 130)
    assert.match(stderr, /stopped by SIGINT/)
    const names = await shell('ls -A /workspace')
    assert.ok(!names.includes('.carrel-cp-') && !names.includes('stopped'), names)
  })

  test('leaves no part of a file in an existing folder, on either side', async () => {
    await shell('mkdir -p there && echo old > there/old && mkdir -p more && cp -r big more/')
    mkdirSync(join(home.path, 'here-too/more'), { recursive: true })
    const stopped = async (args: string[], isUnderWay: () => boolean | Promise<boolean>) => {
      const child = home.spawn(['--session', sessionId, 'cp', ...args], { env: env() })
      const result = resultOf(child)
      await until(isUnderWay, (is) => is)
      child.kill('SIGINT')
      assert.equal((await result).exitCode, 130)
    }
    await stopped(['huge/.', ':there'], async () => (await shell('ls there')).includes('file'))
    assert.equal(await shell('ls -A there /tmp'), '/tmp:\n\nthere:\nold\n')
    await stopped([':more/.', 'here-too/more'], () => existsSync(join(home.path, 'here-too/more/big/file')))
    assert.deepEqual(readdirSync(join(home.path, 'here-too/more/big')), [])
  })

  test('shows progress on a terminal only', async () => {
    for (const [from, to] of [
      [':big/file', `${home.path}/seen`],
      [':big', `${home.path}/seen-folder`],
      [`${home.path}/seen-folder`, ':seen'],
    ]) {
      const command = `'${process.execPath}' src/cli/main.ts --session ${sessionId} cp '${from}' '${to}'`
      const seen = execFileSync('script', ['-qec', command, '/dev/null'], {
        // A fast host finishes before the bar is due.
        env: { ...home.env({ env: env() }), TERM: 'xterm', COLUMNS: '120', CARREL_PROGRESS_AFTER_MS: '40' },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      assert.match(seen, /\r[━─]+ \d+% {2}[\d.]+ MiB of 200 MiB {2}[\d.]+ MiB\/s/)
      assert.match(seen.trimEnd(), /Copied 200 MiB to \S+$/)
      await shell('rm -rf seen')
    }
    await copy(':big/file', 'unseen')
    assert.equal(statSync(join(home.path, 'unseen')).size, 200 * MiB)
  })
})
