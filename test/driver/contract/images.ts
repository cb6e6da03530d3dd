import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Part } from '../subject.ts'

export const describeImages: Part = (subject) => {
  test('build() of a recipe whose image exists returns the same image at once', async () => {
    const { driver, image, recipe } = subject()
    const steps: string[] = []
    const [again, same] = await Promise.all([
      driver.images.build(recipe, ({ step }) => steps.push(step)),
      driver.images.build(recipe, ({ step }) => steps.push(step)),
    ])
    assert.deepEqual([again, same], [image, image])
    assert.deepEqual(steps, [])
  })

  test('idOf() of a recipe is the id of its image', async () => {
    const { driver, image, recipe } = subject()
    assert.equal(await driver.images.idOf(recipe), image.id)
  })

  test('list() contains the image, with its defaults for processes', async () => {
    const { driver, image } = subject()
    const listed = (await driver.images.list()).find(({ id }) => id === image.id)
    assert.deepEqual(listed, image)
    assert.equal(image.user, 'node')
    assert.equal(image.workdir, '/workspace')
    assert.match(image.env.PATH!, /\/usr\/bin/)
    assert.ok(image.sizeBytes > 1024 * 1024)
  })

  test('remove() of an image that a computer uses is a conflict, and the image stays', async (t) => {
    const { driver, image } = subject()
    await subject().computer(t)
    await assert.rejects(driver.images.remove(image.id), { code: 'conflict' })
    assert.ok((await driver.images.list()).some(({ id }) => id === image.id))
  })
}
