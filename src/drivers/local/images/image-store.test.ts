import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DirectoryStorage } from '../storage/directory.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { ImageStore } from './image-store.ts'
import type { StoredImage } from './image-store.ts'

const id = 'tiny-0123456789ab'

function image(values: Partial<StoredImage> = {}): StoredImage {
  return {
    id,
    name: 'tiny',
    sizeBytes: 1,
    createdAtMs: 1,
    env: {},
    user: 'root',
    workdir: '/',
    source: 'recipe',
    ...values,
  }
}

async function fill(volume: string): Promise<StoredImage> {
  await mkdir(join(volume, 'rootfs'))
  return image()
}

const storeIn = (directory: string) => new ImageStore(directory, new DirectoryStorage())

test('add() publishes an image when it is complete', async (t) => {
  const directory = await temporaryDirectory(t)
  const store = storeIn(directory)
  await store.add(id, async (volume) => {
    assert.deepEqual(await store.list(), [])
    return fill(volume)
  })
  assert.deepEqual(await store.list(), [image()])
  assert.deepEqual(await readdir(store.rootfs(id)), [])
  assert.deepEqual(await readdir(directory), [id])
})

test('add() that fails leaves nothing', async (t) => {
  const directory = await temporaryDirectory(t)
  await assert.rejects(
    storeIn(directory).add(id, async (volume) => {
      await writeFile(join(volume, 'half'), '')
      throw new Error('no network')
    }),
    /no network/,
  )
  assert.deepEqual(await readdir(directory), [])
})

test('add() of one image by two stores fills one volume', async (t) => {
  const directory = await temporaryDirectory(t)
  let fills = 0
  const add = () =>
    storeIn(directory).add(id, (volume) => {
      fills += 1
      return fill(volume)
    })
  assert.deepEqual(await Promise.all([add(), add(), add()]), [image(), image(), image()])
  assert.equal(fills, 1)
})

test('add() of one image under two names keeps the first', async (t) => {
  const directory = await temporaryDirectory(t)
  const { promise: bothFilled, resolve } = Promise.withResolvers<void>()
  let fills = 0
  const add = (name: string) =>
    storeIn(directory).add(name, async (volume) => {
      if ((fills += 1) === 2) resolve()
      await bothFilled
      return fill(volume)
    })
  await Promise.all([add('import-1'), add('import-2')])
  assert.deepEqual(await readdir(directory), [id])
})

test('removeLeftovers() removes what a killed server left, and nothing that is being created', async (t) => {
  const directory = await temporaryDirectory(t)
  const other = spawn(
    process.execPath,
    [fileURLToPath(new URL('fixtures/half-built.ts', import.meta.url)), directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(other.stdout, 'data')

  const store = storeIn(directory)
  await store.removeLeftovers()
  assert.deepEqual((await readdir(directory)).toSorted(), ['.lock-half-0123456789ab', '.partial-half-0123456789ab'])
  assert.deepEqual(await store.list(), [])

  other.kill('SIGKILL')
  await once(other, 'exit')
  await store.removeLeftovers()
  assert.deepEqual(await readdir(directory), [])
})

test('list() returns the newest first', async (t) => {
  const store = storeIn(await temporaryDirectory(t))
  const images = [
    image({ id: 'a-000000000001', createdAtMs: 1 }),
    image({ id: 'a-000000000003', createdAtMs: 3 }),
    image({ id: 'a-000000000002', createdAtMs: 2 }),
  ]
  for (const each of images) await store.add(each.id, async () => each)
  assert.deepEqual(
    (await store.list()).map(({ createdAtMs }) => createdAtMs),
    [3, 2, 1],
  )
})

test('remove() removes an image from the disk, and does nothing when there is none', async (t) => {
  const directory = await temporaryDirectory(t)
  const store = storeIn(directory)
  await store.add(id, fill)
  await store.remove(id)
  await store.remove(id)
  assert.deepEqual(await readdir(directory), [])
})

test('get() does not accept a path as an id', async (t) => {
  const directory = await temporaryDirectory(t)
  const store = storeIn(join(directory, 'store'))
  await mkdir(join(directory, 'store'))
  await mkdir(join(directory, id))
  await writeFile(join(directory, id, 'image.json'), JSON.stringify(image()))
  assert.equal(await store.get(`../${id}`), undefined)
})

test('remove() of an image that somebody holds is a conflict, also in another program', async (t) => {
  const directory = await temporaryDirectory(t)
  const [store, other] = [storeIn(directory), storeIn(directory)]
  await store.add(id, fill)
  const held = await store.hold(id)
  await assert.rejects(other.remove(id), { code: 'conflict', message: /a server gives it to new computers/ })
  assert.deepEqual(await other.list(), [image()])
  await held.release()
  await other.remove(id)
  await assert.rejects(store.hold(id), { code: 'image_missing' })
})

test('layers() returns the roots of an image and of those below it, and names one that is missing', async (t) => {
  const directory = await temporaryDirectory(t)
  const store = storeIn(directory)
  const layer = image({ id: 'layer-0123456789ab', from: id })
  await store.add(layer.id, async () => layer)
  await assert.rejects(store.layers(layer.id), { code: 'image_missing', message: /"tiny-0123456789ab" is missing/ })
  await store.add(id, fill)
  assert.deepEqual(await store.layers(layer.id), [store.rootfs(layer.id), store.rootfs(id)])
})
