import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { limits } from '../../../src/config/limits.ts'
import { computerPages } from '../../../src/drivers/driver-pages.ts'
import { newId } from '../../../src/engine/ids.ts'
import type { Part } from '../subject.ts'

export const describePages: Part = (subject) => {
  /** Creates computers that are not running, until the end of the test. */
  async function create(t: TestContext, ids: string[]): Promise<void> {
    const { driver } = subject()
    for (const id of ids) {
      t.after(() => driver.destroy(id))
      await driver.create({ ...subject().specification(), id })
    }
  }

  /** Goes through all pages, and calls `between` after each. */
  async function pages(limit: number, between: (page: number) => Promise<void> = async () => {}): Promise<string[][]> {
    const read: string[][] = []
    for (let after: string | undefined, isLast = false; !isLast;) {
      const { computers, next } = await subject().driver.list({ limit, after })
      read.push(computers.map(({ id }) => id))
      await between(read.length)
      after = next
      isLast = next === undefined
    }
    return read
  }

  test('get() returns one computer with its state, and undefined for one that does not exist', async (t) => {
    const { driver } = subject()
    const id = await subject().computer(t)
    assert.deepEqual(await driver.get(id), { id, running: true, paused: false })
    assert.equal(await driver.get('nothing'), undefined)
    await driver.destroy(id)
    assert.equal(await driver.get(id), undefined)
  })

  test('list() pages through all computers in the order of the bytes of their ids, each once', async (t) => {
    const mark = newId()
    // In the order of bytes, capitals come before small letters, and letters beyond ASCII last.
    const ids = ['A', 'a', 'é', 'z', '0'].map((last) => `${mark}${last}`)
    await create(t, ids)
    const ordered = ['0', 'A', 'a', 'z', 'é'].map((last) => `${mark}${last}`)
    const whole = (await Array.fromAsync(computerPages(subject().driver))).flat().map(({ id }) => id)
    assert.deepEqual(
      whole.filter((id) => id.startsWith(mark)),
      ordered,
    )
    for (const limit of [1, 2, whole.length - 1, whole.length, whole.length + 1]) {
      const read = await pages(limit)
      assert.deepEqual(read.flat(), whole)
      assert.equal(read.length, Math.ceil(whole.length / limit), 'no page is empty, and all but the last are full')
    }
    const { computers, next } = await subject().driver.list({ limit: 2, after: `${mark}B` })
    assert.deepEqual([computers.map(({ id }) => id), next], [[`${mark}a`, `${mark}z`], `${mark}z`])
  })

  test('list() misses no computer and repeats none when others come and go between two pages', async (t) => {
    const { driver } = subject()
    const mark = newId()
    const staying = Array.from({ length: 6 }, (_, index) => `${mark}${index}`)
    await create(t, [...staying, `${mark}2-going`, `${mark}4-going`])
    const read = await pages(1, async (page) => {
      if (page % 2 === 0) return
      await driver.destroy(`${mark}${page === 1 ? 2 : 4}-going`)
      await create(t, [`${mark}${page}-coming`])
    })
    const seen = read.flat().filter((id) => id.startsWith(mark))
    assert.deepEqual(
      seen.filter((id) => !id.includes('-')),
      staying,
    )
    assert.equal(new Set(seen).size, seen.length)
  })

  test('list() and snapshots() refuse a page that is empty or too long', async () => {
    const { driver } = subject()
    for (const limit of [0, -1, 1.5, Number.NaN, limits.driverPageItems + 1]) {
      await assert.rejects(driver.list({ limit }), { code: 'invalid_request' })
      await assert.rejects(driver.snapshots({ limit }), { code: 'invalid_request' })
    }
  })

  test('processesOn() returns the processes of one computer alone, until they are released', async (t) => {
    const { driver } = subject()
    const [one, other] = [await subject().computer(t), await subject().computer(t)]
    const processes = [await subject().exec(one, ['sleep', '100']), await subject().exec(one, ['true'])]
    const elsewhere = await subject().exec(other, ['sleep', '100'])
    await processes[1]!.wait()
    assert.deepEqual(driver.processesOn(one), processes)
    assert.deepEqual(driver.processesOn(other), [elsewhere])
    assert.deepEqual(driver.processesOn('nothing'), [])
    driver.release(processes[1]!.processId)
    assert.deepEqual(driver.processesOn(one), [processes[0]])
    await driver.destroy(one)
    await processes[0]!.wait()
    driver.release(processes[0]!.processId)
    assert.deepEqual(driver.processesOn(one), [])
  })
}
