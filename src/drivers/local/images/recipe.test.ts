import assert from 'node:assert/strict'
import { chmod, cp, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { recipeId } from './recipe-id.ts'
import { readRecipe } from './recipe.ts'

const images = fileURLToPath(new URL('../../../../images', import.meta.url))
const distribution = { id: 'debian', codename: 'bookworm', architecture: 'x64' }

async function copyOfSlim(t: TestContext, name = 'mine'): Promise<string> {
  const directory = join(await temporaryDirectory(t), name)
  await cp(join(images, 'slim'), directory, { recursive: true })
  return directory
}

async function change(directory: string, values: Record<string, unknown>): Promise<void> {
  const file = join(directory, 'recipe.json')
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...values }))
}

const idOf = async (directory: string, changes = {}) =>
  recipeId(await readRecipe(directory), { ...distribution, ...changes })

test('readRecipe() reads the recipes that come with Carrel', async () => {
  for (const name of ['base', 'slim']) {
    const recipe = await readRecipe(join(images, name))
    assert.equal(recipe.name, name)
    assert.equal(recipe.user, 'node')
    assert.match(recipe.env.PATH ?? '', /^\/home\/node\/\.local\/bin:/)
    assert.ok(recipe.packages.some((entry) => entry.name === 'python3' && !entry.optional))
  }
  const base = await readRecipe(join(images, 'base'))
  assert.deepEqual(
    base.packages.find(({ name }) => name === 'gh'),
    { name: 'gh', optional: true },
  )
})

test('readRecipe() names the invalid field', async (t) => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ user: 'No Name' }, 'user'],
    [{ env: { PATH: '$(reboot)' } }, 'env.PATH'],
    [{ leaveOut: ['/usr/share/man/*', '/x; reboot'] }, 'leaveOut.1'],
    [{ leaveOut: ['/../etc'] }, 'leaveOut.0'],
    [{ npm: { all: ['--unsafe'] } }, 'npm.all.0'],
    [{ freeBytes: -1 }, 'freeBytes'],
    [{ colour: 'red' }, 'colour'],
  ]
  for (const [values, field] of wrong) {
    const directory = await copyOfSlim(t)
    await change(directory, values)
    await assert.rejects(readRecipe(directory), (error: { code: string; details: unknown }) => {
      assert.equal(error.code, 'invalid_request')
      assert.deepEqual(error.details, { field })
      return true
    })
  }
})

test('readRecipe() does not accept an option as a package, and names its line', async (t) => {
  const directory = await copyOfSlim(t)
  await writeFile(join(directory, 'packages'), 'bash # fine\n\n--no-sandbox\n')
  await assert.rejects(readRecipe(directory), { code: 'invalid_request', message: /line 3 .*"--no-sandbox"/ })
})

test('readRecipe() of a folder without a recipe is a not_found that names what is missing', async (t) => {
  await assert.rejects(readRecipe(join(await temporaryDirectory(t), 'nothing')), {
    code: 'not_found',
    message: /recipe\.json is missing/,
  })
})

test('readRecipe() refuses a folder whose name cannot begin an id', async (t) => {
  for (const name of ['Mine', 'my_image', '-mine', 'my--image', 'm'.repeat(41)]) {
    const directory = await copyOfSlim(t, name)
    await assert.rejects(readRecipe(directory), { code: 'invalid_request', message: /its folder's name must have/ })
  }
})

test('readRecipe() adds to the recipe that it names, beside it or of Carrel, and its id follows that one', async (t) => {
  const directory = await copyOfSlim(t, 'mine')
  const above = join(directory, '../above')
  await cp(directory, above, { recursive: true })
  const settings = { description: 'More', from: 'mine', workdir: '/srv', env: { MORE: '1' }, tools: { more: ['sed'] } }
  await writeFile(join(above, 'recipe.json'), JSON.stringify({ ...settings, freeBytes: 0 }))
  const [recipe, base] = await Promise.all([readRecipe(above), readRecipe(directory)])
  assert.deepEqual(recipe.from, base)
  assert.deepEqual([recipe.user, recipe.workdir, recipe.env], ['node', '/srv', { ...base.env, MORE: '1' }])
  assert.deepEqual(recipe.tools, { ...base.tools, more: ['sed'] })
  assert.equal(recipe.leaveOut, undefined)
  const id = await idOf(above)
  await writeFile(join(directory, 'motd'), 'hello')
  assert.notEqual(await idOf(above), id)
  await change(above, { from: 'slim' })
  assert.equal((await readRecipe(above)).from?.directory, join(images, 'slim'))
  await change(above, { from: 'above' })
  await assert.rejects(readRecipe(above), { code: 'invalid_request', details: { field: 'from' } })
  await change(directory, { user: undefined })
  await assert.rejects(readRecipe(directory), { code: 'invalid_request', details: { field: 'user' } })
})

test('recipeId() is the same for the same files, whatever their times', async (t) => {
  const one = await copyOfSlim(t)
  const two = await copyOfSlim(t)
  await utimes(join(two, 'packages'), 1, 1)
  assert.equal(await idOf(one), await idOf(two))
  assert.match(await idOf(one), /^mine-[0-9a-f]{12}$/)
})

test('recipeId() differs for another file, executable bit, name, architecture or distribution', async (t) => {
  const directory = await copyOfSlim(t)
  const ids = [
    await idOf(directory),
    await idOf(directory, { architecture: 'arm64' }),
    await idOf(directory, { codename: 'trixie' }),
    await idOf(await copyOfSlim(t, 'other')),
  ]
  await chmod(join(directory, 'packages'), 0o755)
  ids.push(await idOf(directory))
  await writeFile(join(directory, 'motd'), 'hello')
  ids.push(await idOf(directory))
  await writeFile(join(directory, 'motd'), 'hello!')
  ids.push(await idOf(directory))
  assert.equal(new Set(ids).size, ids.length)
})
