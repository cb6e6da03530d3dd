import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openDatabase } from '../../../src/db/open.ts'
import { runStatements } from '../../support/run-statements.ts'
import { newDatabase } from '../../support/test-database.ts'

/** Makes a database by the end of the statement that creates it. Returns its URL. */
async function create(t: TestContext, options: string): Promise<string> {
  const ends: (() => Promise<unknown> | void)[] = []
  const beside = await newDatabase({ after: (end) => void ends.push(end) }, { empty: true })
  const url = new URL(beside)
  url.pathname += '_unsuitable'
  const name = url.pathname.slice(1)
  t.after(async () => {
    await runStatements(beside, `drop database if exists ${name}`)
    for (const end of ends) await end()
  })
  await runStatements(beside, `create database ${name} ${options}`)
  return url.href
}

test('a database of another encoding is refused, as it could not store every text', async (t) => {
  const latin = `encoding 'LATIN1' locale 'C' template template0`
  // Before version 15 there is no other provider, and no such option.
  const url = await create(t, `${latin} locale_provider libc`).catch(() => create(t, latin))
  await assert.rejects(
    openDatabase(url),
    /^Error: Cannot open the database ".+": its encoding is LATIN1, and Carrel needs UTF8/,
  )
})

test('a read-only database is refused, as the server could record nothing', async (t) => {
  const url = await newDatabase(t)
  await runStatements(url, `alter database ${new URL(url).pathname.slice(1)} set default_transaction_read_only = on`)
  await assert.rejects(openDatabase(url), /^Error: Cannot open the database ".+": it is read-only/)
})

test('a database that does not exist is refused, by its name and not by its password', async (t) => {
  const url = new URL(await newDatabase(t))
  url.pathname += '_missing'
  url.searchParams.set('password', 'secret')
  await assert.rejects(openDatabase(url.href), (error: Error) => {
    assert.match(
      error.message,
      /^Cannot open the database "postgres:.+_missing": database ".+_missing" does not exist$/,
    )
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
})
