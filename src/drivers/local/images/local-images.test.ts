import assert from 'node:assert/strict'
import { chown, chmod, cp, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { BuildProgress } from '../../driver.ts'
import { toHostId } from '../system/id-map.ts'
import { DirectoryStorage } from '../storage/directory.ts'
import { run } from '../system/run.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { LocalImages } from './local-images.ts'
import { readRecipe } from './recipe.ts'
import { requireTools } from './require-tools.ts'
import { runInRoot } from './run-in-root.ts'

const slim = fileURLToPath(new URL('../../../../images/slim', import.meta.url))
const silent = () => {}

async function localImages(t: TestContext, inUse: string[] = []): Promise<{ images: LocalImages; directory: string }> {
  const directory = await temporaryDirectory(t)
  const images = new LocalImages({
    storeDirectory: join(directory, 'images'),
    storage: new DirectoryStorage(),
    isInUse: async (id) => inUse.includes(id),
  })
  return { images, directory }
}

async function inRoot(root: string, argv: string[]): Promise<string> {
  const lines: string[] = []
  await runInRoot(root, argv, { env: { PATH: '/usr/local/bin:/usr/bin:/bin' }, onLine: (line) => lines.push(line) })
  return lines.join('\n')
}

test('an image is refused when the disk below the store lacks space, even if the store itself does not', async (t) => {
  const directory = await temporaryDirectory(t)
  const images = new LocalImages({
    storeDirectory: join(directory, 'images'),
    storage: new DirectoryStorage(),
    headroomBytes: () => 1_000_000,
    isInUse: async () => false,
  })
  await assert.rejects(images.build(slim, silent), { code: 'no_capacity', message: /has 0\.0 GB free/ })
})

test('build() builds the slim image once for concurrent calls, with its programs and owners and nothing of the host', async (t) => {
  const { images, directory } = await localImages(t)
  const steps: BuildProgress[] = []
  const [image, same] = await Promise.all([images.build(slim, (step) => steps.push(step)), images.build(slim, silent)])
  const root = images.rootfs(image.id)

  assert.deepEqual(same, image)
  assert.deepEqual(await images.build(slim, () => assert.fail('built again')), image)
  assert.match(image.id, /^slim-[0-9a-f]{12}$/)
  assert.deepEqual([image.user, image.workdir, image.env.LANG], ['node', '/workspace', 'C.UTF-8'])
  assert.deepEqual(await images.list(), [image])
  assert.deepEqual(await images.resolve('slim'), image)
  assert.deepEqual(await readdir(join(directory, 'images')), [image.id])
  assert.deepEqual((await readdir(join(root, '..'))).toSorted(), ['image.json', 'rootfs'])

  await assertOwners(root)
  await assertNothingOfTheHost(root)
  assertProgress(steps)
  for (const argv of [
    ['python', '--version'],
    ['node', '--version'],
    ['npm', '--version'],
    ['git', '--version'],
    ['curl', '--version'],
    ['bash', '--version'],
  ]) {
    assert.match(await inRoot(root, argv), /\d+\.\d+/, argv.join(' '))
  }
  const recipe = await readRecipe(slim)
  const programs = { signal: new AbortController().signal, background: false, namespace: undefined }
  await requireTools(recipe, root, programs)
  await assert.rejects(requireTools({ ...recipe, tools: { media: ['git', 'ffmpeg'] } }, root, programs), {
    code: 'invalid_request',
    message: 'Cannot build image "slim": recipe.json declares the tool "ffmpeg", which is not in the image',
  })
  await assertLayer(images, directory)
})

/** Builds a recipe from `slim`, which is stored, with a package, changed owners and a deletion. */
async function assertLayer(images: LocalImages, directory: string): Promise<void> {
  const folder = join(directory, 'layered')
  await mkdir(folder)
  await writeFile(join(folder, 'recipe.json'), JSON.stringify(layered))
  await writeFile(join(folder, 'packages'), 'tree\n')
  await writeFile(join(folder, 'setup.sh'), setUpLayer)
  const steps: BuildProgress[] = []
  const image = await images.build(folder, (step) => steps.push(step))
  const [own, base, ...others] = await images.layers(image.id)

  assertProgress(steps, 6)
  assert.deepEqual([image.user, image.env.LANG, image.env.NEW], ['node', 'C.UTF-8', 'yes'])
  assert.deepEqual([base, others], [images.rootfs((await images.resolve('slim'))!.id), []])
  assert.ok(image.sizeBytes < 60_000_000, `only what is added is stored, not ${image.sizeBytes} bytes`)
  assert.equal(await readFile(join(own!, 'made-by'), 'utf8'), 'root 0\n')
  for (const [path, id] of [
    ['usr/bin/tree', 0],
    ['made-by', 0],
    ['workspace/mine', 1000],
    ['etc/environment', 0],
  ] as const)
    assert.equal((await lstat(join(own!, path))).uid, toHostId(id), path)
  const deleted = await lstat(join(own!, 'usr/bin/curl'))
  assert.deepEqual([deleted.isCharacterDevice(), deleted.rdev], [true, 0])
  await lstat(join(base!, 'usr/bin/curl'))
  await assert.rejects(lstat(join(own!, 'usr/bin/bash')), { code: 'ENOENT' })
  assert.deepEqual((await readdir(join(own!, '..'))).toSorted(), ['image.json', 'rootfs'])
  await assert.rejects(images.remove((await images.resolve('slim'))!.id), {
    code: 'conflict',
    message: /is built on it/,
  })
  await images.remove(image.id)
  await images.remove((await images.resolve('slim'))!.id)
}

const layered = {
  description: 'Slim, and more',
  from: 'slim',
  env: { NEW: 'yes' },
  tools: { more: ['tree'] },
  freeBytes: 0,
}
const setUpLayer = `set -eu
test "$(stat -c %U /usr/bin/bash)" = root
echo "$(id -un) $(id -u)" > /made-by
rm /usr/bin/curl
touch /workspace/mine && chown node /workspace/mine
sudo -u node true
`

async function assertOwners(root: string): Promise<void> {
  for (const [path, id] of [
    ['usr/bin/python3', 0],
    ['workspace', 1000],
    ['home/node/workspace', 1000],
    ['usr/local/bin/node', 0],
  ] as const) {
    assert.equal((await lstat(join(root, path))).uid, toHostId(id), path)
  }
  assert.equal((await lstat(join(root, 'usr/bin/sudo'))).mode & 0o7777, 0o4755)
  assert.equal(
    await run('find', [root, '-xdev', '(', '-uid', '-2000000000', '-o', '-gid', '-2000000000', ')', '-print', '-quit']),
    '',
  )
}

async function assertNothingOfTheHost(root: string): Promise<void> {
  for (const file of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id'])
    assert.equal(await readFile(join(root, file), 'utf8'), '', file)
  for (const directory of ['dev', 'proc', 'sys', 'run', 'tmp'])
    assert.deepEqual(await readdir(join(root, directory)), [], directory)
  assert.deepEqual(await readdir(join(root, 'etc/apt/sources.list.d')), ['distribution.sources'])
  assert.match(await readFile(join(root, 'etc/apt/sources.list.d/distribution.sources'), 'utf8'), /^Types: deb\nURIs: /)
  assert.deepEqual(await readdir(join(root, 'usr/share/doc/bash')), ['copyright'])
  assert.equal(await run('find', [join(root, 'usr/lib'), '-name', 'EXTERNALLY-MANAGED']), '')
}

function assertProgress(steps: BuildProgress[], min = 20): void {
  const fractions = steps.map(({ fraction }) => fraction ?? 0)
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  )
  assert.equal(steps.at(-1)?.step, 'Writing to the disk')
  assert.ok(steps.length > min)
}

test('build() of a recipe with an unknown package names it, and leaves nothing', async (t) => {
  const { images, directory } = await localImages(t)
  const recipe = join(directory, 'mine')
  await cp(slim, recipe, { recursive: true })
  await writeFile(join(recipe, 'packages'), 'no-such-package\n')
  await assert.rejects(images.build(recipe, silent), {
    code: 'invalid_request',
    message: /no package "no-such-package"/,
  })
  assert.deepEqual(await readdir(join(directory, 'images')), [])
})

test('build() checks for free space before it begins', async (t) => {
  const { images, directory } = await localImages(t)
  const recipe = join(directory, 'mine')
  await cp(slim, recipe, { recursive: true })
  const settings = JSON.parse(await readFile(join(recipe, 'recipe.json'), 'utf8'))
  await writeFile(join(recipe, 'recipe.json'), JSON.stringify({ ...settings, freeBytes: 2 ** 60 }))
  await assert.rejects(
    images.build(recipe, () => assert.fail('began')),
    { code: 'no_capacity', message: /GB free of the 1152921504\.6 GB needed; remove images/ },
  )
})

/** An OCI layout with one image, whose /etc is a link to a directory of the host. */
async function tinyLayout(directory: string): Promise<string> {
  const [layout, content] = [join(directory, 'layout'), join(directory, 'content')]
  await mkdir(join(content, 'bin'), { recursive: true })
  await writeFile(join(content, 'bin/sudo'), 'x')
  await chmod(join(content, 'bin/sudo'), 0o4755)
  await mkdir(join(content, 'home'))
  await chown(join(content, 'home'), 1000, 1000)
  await mkdir(join(directory, 'outside'))
  await symlink(join(directory, 'outside'), join(content, 'etc'))
  await run('umoci', ['init', '--layout', layout])
  await run('umoci', ['new', '--image', `${layout}:v1`])
  await run('umoci', ['insert', '--image', `${layout}:v1`, content, '/'])
  await run('umoci', [
    'config',
    '--image',
    `${layout}:v1`,
    '--config.env',
    'GREETING=a=b',
    '--config.user',
    '1000:1000',
    '--config.workingdir',
    '/home',
  ])
  return layout
}

test('import() imports an OCI image with its owners and settings, and does not follow its links', async (t) => {
  const { images, directory } = await localImages(t)
  const layout = await tinyLayout(directory)
  const [image, same] = await Promise.all([
    images.import(`oci:${layout}:v1`, silent),
    images.import(`oci:${layout}:v1`, silent),
  ])
  const root = images.rootfs(image.id)

  assert.deepEqual(same, image)
  assert.deepEqual(await images.import(`oci:${layout}:v1`, silent), image)
  assert.match(image.id, /^layout-v1-[0-9a-f]{12}$/)
  assert.deepEqual([image.user, image.workdir, image.env.GREETING], ['1000:1000', '/home', 'a=b'])
  assert.match(image.env.PATH ?? '', /\/usr\/bin/)
  assert.equal((await lstat(join(root, 'home'))).uid, toHostId(1000))
  assert.equal((await lstat(join(root, 'bin/sudo'))).mode & 0o7777, 0o4755)
  assert.deepEqual(await readdir(join(directory, 'outside')), [])
  assert.equal((await lstat(join(root, 'etc/hosts'))).uid, toHostId(0))
  assert.deepEqual(await readdir(join(directory, 'images')), [image.id])
})

test('import() reports what is wrong with a reference', async (t) => {
  const { images, directory } = await localImages(t)
  await assert.rejects(images.import('python:3.12', silent), {
    code: 'invalid_request',
    message: /docker:\/\/python:3\.12/,
  })
  await assert.rejects(images.import(`oci:${directory}/nothing:v1`, silent), {
    code: 'invalid_request',
    message: /no such file/,
  })
  assert.deepEqual(await readdir(join(directory, 'images')), [])
})

test('keep() holds an image once for calls at the same time, until the images are closed', async (t) => {
  const { images, directory } = await localImages(t)
  const { id } = await images.import(`oci:${await tinyLayout(directory)}:v1`, silent)
  const opened = async () => {
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
    return (await Promise.all(links)).filter((path) => path.endsWith(`${id}/image.json`)).length
  }
  await Promise.all([images.keep(id), images.keep(id), images.keep(id)])
  assert.equal(await opened(), 1)
  await assert.rejects(images.remove(id), { code: 'conflict' })
  await images.close()
  assert.equal(await opened(), 0)
  await assert.rejects(images.keep('nothing-0123456789ab'), { code: 'image_missing' })
  await images.remove(id)
})

test('remove() rejects with a conflict for an image in use, and removes another', async (t) => {
  const inUse: string[] = []
  const { images, directory } = await localImages(t, inUse)
  const { id } = await images.import(`oci:${await tinyLayout(directory)}:v1`, silent)
  inUse.push(id)
  await assert.rejects(images.remove(id), { code: 'conflict' })
  assert.equal((await images.get(id))?.id, id)
  inUse.pop()
  await images.remove(id)
  assert.equal(await images.get(id), undefined)
})
