import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageInfo } from '../../../drivers/driver.ts'
import { findImageId, requireImage } from './find-image.ts'

const image = (id: string, name: string, createdAtMs: number) => ({ id, name, createdAtMs }) as ImageInfo
const images = [
  image('base-1', 'base', 1),
  image('base-3', 'base', 3),
  image('base-2', 'base', 2),
  image('slim-1', 'slim', 1),
  image('desktop-1', 'desktop', 1),
  image('other-1', 'base-1', 9),
]
const engine = {
  driver: { images: { list: async () => images } },
  defaultImage: { id: 'base-3' },
  desktopImage: { id: 'desktop-2', recipe: '/recipes/desktop/' },
} as unknown as Parameters<typeof findImageId>[0]

test('an image is found by its id, else the newest of a name, also the one that is not built yet', async () => {
  for (const [wanted, id] of [
    ['base-1', 'base-1'],
    ['base', 'base-3'],
    ['slim', 'slim-1'],
    ['desktop', 'desktop-2'],
    ['desktop-2', 'desktop-2'],
    ['desktop-1', 'desktop-1'],
  ] as const)
    assert.equal(await findImageId(engine, wanted), id, wanted)
  assert.equal(requireImage(images, 'desktop').id, 'desktop-1', 'what is not built cannot be read')
})

test('the error for an image that does not exist lists what there is, in a bounded message', async () => {
  await assert.rejects(findImageId(engine, 'none'), {
    code: 'not_found',
    message: 'Cannot find image "none": there is "base", "base-1", "desktop", "slim"',
  })
  const many = Array.from({ length: 100 }, (_, i) => image(`i-${i}`, `name-${i}`, i))
  assert.throws(() => requireImage(many, 'x'.repeat(1000)), /: there is "name-0", .* and 80 more$/)
})
