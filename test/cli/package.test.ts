import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { TestServer } from '../support/server.ts'
import { oldestNode, PackedClient, projectRoot } from './packed-client.ts'

const run = promisify(execFile)
const typedProgram = fileURLToPath(new URL('fixtures/typed-program.ts', import.meta.url))

describe('the client package', { timeout: 300_000 }, () => {
  const client = new PackedClient()
  const home = new CliHome()
  let server: TestServer
  let token: string
  let node: string
  let tarball: string
  let folder: string
  let installed: string

  before(async () => {
    const packedAndInstalled = async () => {
      tarball = await client.pack(client.clone('clone'))
      folder = await client.install(tarball)
      installed = join(folder, 'node_modules/carrel')
    }
    ;[server, node] = await Promise.all([TestServer.start(), oldestNode(), packedAndInstalled()])
    token = await server.newAccount()
  })
  after(async () => {
    home[Symbol.dispose]()
    client[Symbol.dispose]()
    await server.stop()
  })

  const environment = () => home.env({ env: { CARREL_URL: server.url, CARREL_TOKEN: token } })
  /** Runs a program with the oldest Node, and returns what it prints. */
  const output = async (...args: string[]): Promise<string> =>
    (await run(node, args, { cwd: folder, env: environment() })).stdout
  const carrel = (...args: string[]) => output('node_modules/.bin/carrel', ...args)

  test('contains the compiled command line and SDK, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    const outside = files.filter((file) => !/^dist\/(sdk\/[\w/-]+\.(js|d\.ts)|src\/cli\/[\w/-]+\.js)$/.test(file))
    assert.deepEqual(outside.toSorted(), [
      'LICENSE',
      'README.md',
      'dist/src/suggestion.js',
      'dist/src/tar/read-tar.js',
      'dist/src/tar/tar-attributes.js',
      'dist/src/tar/tar-header.js',
      'dist/src/tar/tar-records.js',
      'package.json',
    ])
    for (const file of files) {
      const text = readFileSync(join(installed, file), 'utf8')
      for (const path of [client.root, projectRoot]) assert.ok(!text.includes(path), `${file} contains ${path}`)
      assert.ok(!text.includes('sourceMappingURL'), file)
    }
    assert.deepEqual(
      files.filter((file) => /test|fake/.test(file)),
      [],
    )
    assert.equal(
      readFileSync(join(installed, 'README.md'), 'utf8'),
      readFileSync(join(projectRoot, 'sdk/README.md'), 'utf8'),
    )
  })

  test('installs anywhere, and brings one other package', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    assert.deepEqual(Object.keys(manifest.dependencies), ['ws'])
    assert.deepEqual(readdirSync(join(folder, 'node_modules')).toSorted(), [
      '.bin',
      '.package-lock.json',
      'carrel',
      'ws',
    ])
    for (const field of ['os', 'cpu', 'private', 'scripts', 'devDependencies', 'optionalDependencies'])
      assert.equal(manifest[field], undefined, field)
    assert.equal(manifest.engines.node, '>=20.3')
  })

  test('packing gives the same bytes in another folder, and leaves it as it was', async () => {
    const clone = client.clone('another clone')
    const isRestored = () =>
      ['package.json', 'README.md'].every((name) =>
        readFileSync(join(clone, name)).equals(readFileSync(join(projectRoot, name))),
      )
    // As if npm were killed while it packs.
    await run(process.execPath, ['scripts/prepack.js'], { cwd: clone })
    assert.equal(isRestored(), false)
    await run(process.execPath, ['scripts/postpack.js'], { cwd: clone })
    assert.equal(isRestored(), true)
    assert.ok(readFileSync(await client.pack(clone)).equals(readFileSync(tarball)))
    assert.equal(isRestored(), true)
  })

  test('carrel runs commands, and copies and lists files', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'notes\n')
    mkdirSync(join(folder, 'tree/inner'), { recursive: true })
    writeFileSync(join(folder, 'tree/inner/leaf.txt'), 'leaf\n')
    assert.equal(await carrel('exec', 'echo $((6 * 7))'), '42\n')
    await carrel('cp', 'notes.txt', ':')
    await carrel('cp', 'tree', ':')
    assert.match(await carrel('ls'), /notes\.txt\n.*tree/s)
    await carrel('cp', ':tree', 'back')
    assert.equal(readFileSync(join(folder, 'back/inner/leaf.txt'), 'utf8'), 'leaf\n')
  })

  test('carrel and ppod know their names, their version and that of the server', async () => {
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
    assert.equal(await output('node_modules/.bin/ppod', '--version'), `ppod ${version}\n`)
    assert.equal(await carrel('version'), `carrel ${version}\nserver ${version} at ${server.url}\n`)
  })

  test('carrel offers no command that only the machine of the server has, and says so of one that is called', async () => {
    assert.doesNotMatch(await carrel('help'), /^Server:|ledger/m)
    assert.doesNotMatch(await carrel('completion', 'bash'), /\bledger\b/)
    await assert.rejects(output('node_modules/.bin/carrel', 'ledger', 'verify'), {
      code: 2,
      stderr: /^carrel: Cannot run this here: it works on the data of a server/,
    })
  })

  test('the SDK runs as an ES module and by require', async () => {
    const body = "new Carrel().execute('echo hi').then(({ result }) => console.log(result.stdout.trim()))"
    writeFileSync(join(folder, 'program.mjs'), `import { Carrel } from 'carrel'\nawait ${body}\n`)
    writeFileSync(join(folder, 'program.cjs'), `const { Carrel } = require('carrel')\n${body}\n`)
    assert.equal(await output('program.mjs'), 'hi\n')
    // Node requires ES modules from 20.19 and 22.12 on.
    const { stdout } = await run(process.execPath, ['program.cjs'], { cwd: folder, env: environment() })
    assert.equal(stdout, 'hi\n')
  })

  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const)
    test(`a strict TypeScript program compiles with moduleResolution ${moduleResolution}, and runs`, async () => {
      copyFileSync(typedProgram, join(folder, 'program.ts'))
      const compilerOptions = { module, moduleResolution, target: 'es2022', strict: true, types: [], outDir: 'out' }
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: { ...compilerOptions, exactOptionalPropertyTypes: true },
          files: ['program.ts'],
        }),
      )
      const compiler = join(projectRoot, 'node_modules/typescript/bin/tsc')
      await run(process.execPath, [compiler, '-p', folder, '--pretty', 'false']).catch((error: { stdout: string }) =>
        assert.fail(error.stdout),
      )
      assert.equal(
        await output('out/program.js'),
        '42 0\nstart stdout complete\na b \ntrue\nNOT_FOUND 404 false\ntrue\n',
      )
    })
})
