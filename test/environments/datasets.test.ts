import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { findSample, findSampleVersion } from '../../src/engine/environments/datasets/find-sample.ts'
import { pruneVersions } from '../../src/engine/environments/datasets/prune-versions.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { insertToken } from '../../src/engine/identity/accounts/tokens.ts'
import { TestApp } from '../support/test-app.ts'
import { archiveOf, inFolder, type Content } from './fixtures/archive.ts'
import { harborTask, plainTask, sweBenchRow, sweBenchTask, terminalBenchTask } from './fixtures/tasks.ts'

const bytes = { 'content-type': 'application/octet-stream' }

describe('datasets', { timeout: 120_000 }, () => {
  let server: TestApp
  before(async () => {
    server = await TestApp.start()
  })
  after(() => server.stop())

  const add = (name: string, body: Buffer | string, query = '') =>
    server.call('POST', `/datasets?name=${name}${query}`, body, { headers: bytes })
  const addFiles = (name: string, files: Record<string, Content>) => add(name, archiveOf(files))
  const samplesOf = async (query: string, token?: string | null) =>
    (await server.call('GET', `/samples${query}`, undefined, { token: token === undefined ? server.token : token }))
      .body
  const versions = () => join(server.engine.settings.dataDirectory, 'datasets')

  test('tasks of every format become samples, each with an archive of what an agent may see', async () => {
    const files = {
      'mixed/dataset.toml': 'description = "Greetings"\n',
      ...inFolder('mixed/plain-one', plainTask),
      ...inFolder('mixed/more/harbor-one', harborTask),
      ...inFolder('mixed/bench-one', terminalBenchTask),
      ...inFolder('mixed/tasks/swe-two', sweBenchTask),
      'mixed/rows.jsonl': `${JSON.stringify(sweBenchRow)}\n`,
    }
    const { status, body } = await add('mixed', gzipSync(archiveOf(files)))
    assert.deepEqual(
      [status, body],
      [200, { name: 'mixed', added: 5, changed: 0, unchanged: 0, refused: 0, reasons: [] }],
    )
    const { body: datasets } = await server.call('GET', '/datasets', undefined, { token: null })
    const { created_at: createdAt, ...mixed } = datasets.find(({ name }: { name: string }) => name === 'mixed')
    assert.deepEqual(mixed, { name: 'mixed', description: 'Greetings', sample_count: 5 })
    assert.match(createdAt, /^\d{4}-.*Z$/)
    const { samples } = await samplesOf('?dataset=mixed')
    const shown = samples.map((sample: Record<string, unknown>) => [sample['sample_id'], sample['instance_id']])
    assert.deepEqual(shown, [
      ['bench-one', 'bench-one'],
      ['example__greet-1', 'example__greet-1'],
      ['harbor-one', 'harbor-one'],
      ['plain-one', 'plain-one'],
      ['swe-two', 'example__greet-2'],
    ])
    const seen: Record<string, string[]> = {}
    for (const { sample_id: id } of samples) seen[id] = await namesIn(`/samples/mixed/${id}/download`)
    const always = ['instruction.md', 'sample.json']
    assert.deepEqual(seen, {
      'bench-one': [...always, 'Dockerfile', 'data', 'data/input.txt'],
      'example__greet-1': always,
      'harbor-one': [...always, 'environment', 'environment/Dockerfile'],
      'plain-one': always,
      'swe-two': [...always, 'Dockerfile'],
    })
  })

  async function namesIn(path: string): Promise<string[]> {
    const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.token}` } })
    assert.equal(response.headers.get('content-type'), 'application/gzip')
    const input = Buffer.from(await response.arrayBuffer())
    assert.equal(response.headers.get('content-length'), String(input.length))
    return execFileSync('tar', ['-tzf', '-'], { input, encoding: 'utf8' }).trimEnd().split('\n')
  }

  test('a sample of SWE-bench has its fields; solution and tests are for callers with a token alone', async () => {
    await add('rows', JSON.stringify(sweBenchRow))
    const [sample] = (await samplesOf('?dataset=rows')).samples
    const { created_at: _, ...rest } = sample
    assert.deepEqual(rest, {
      sample_id: 'example__greet-1',
      instance_id: 'example__greet-1',
      dataset: 'rows',
      description: '',
      repo: 'example/greet',
      language: '',
      base_commit: 'a'.repeat(40),
      environment_setup_commit: '',
      problem_statement: 'greet() should say hello.',
      hints_text: '',
      patch: sweBenchRow.patch,
      test_patch: sweBenchRow.test_patch,
      non_code_patch: '',
      fail_to_pass: ['test_greet.py::test_hello'],
      pass_to_pass: ['test_greet.py::test_bye'],
      fail_to_fail: [],
      verifier: 'test_suite',
      version: 1,
      version_description: '',
      latest: true,
    })
    for (const token of [null, 'wrong']) {
      const [{ patch, test_patch: testPatch, fail_to_pass: failToPass, problem_statement: problem }] = (
        await samplesOf('?dataset=rows', token)
      ).samples
      assert.deepEqual([patch, testPatch, failToPass], ['', '', []])
      assert.equal(problem, 'greet() should say hello.')
    }
  })

  test('a changed task is a new version, and the same content changes nothing', async () => {
    const first = inFolder('greet', plainTask)
    const second = { ...first, 'greet/instruction.md': 'Write hello, politely.\n' }
    const counts = async (files: Record<string, Content>, query = '') => {
      const { added, changed, unchanged } = (await add('versions', archiveOf(files), query)).body
      return [added, changed, unchanged]
    }
    assert.deepEqual(await counts(first), [1, 0, 0])
    assert.deepEqual(await counts(first), [0, 0, 1])
    assert.deepEqual(await counts(second, '&version_description=Politeness'), [0, 1, 0])
    const { samples, total_count: total } = await samplesOf('?dataset=versions')
    assert.deepEqual([total, samples[0].version, samples[0].version_description], [1, 2, 'Politeness'])
    const earlier = await findSample(server.engine, { dataset: 'versions', sampleId: 'greet', version: 1 })
    assert.equal(earlier.task.problemStatement, plainTask['instruction.md'])
    assert.ok(existsSync(join(earlier.directory, 'tests/test.sh')))
    const path = '/samples/versions/greet/download'
    assert.equal((await server.call('GET', `${path}?version=1`)).status, 200)
    const { status, body } = await server.call('GET', `${path}?version=3`)
    assert.deepEqual([status, body.detail.code], [404, 'NOT_FOUND'])
    // A version that was removed while something used it is found by its row.
    await server.db.updateTable('samples').set({ removed_at: 1 }).where('id', '=', earlier.row.id).execute()
    assert.equal((await server.call('GET', `${path}?version=1`)).status, 404)
    assert.equal((await findSampleVersion(server.engine, earlier.row.id))?.directory, earlier.directory)
    // The first content again is what it says last.
    assert.deepEqual(await counts(first), [0, 1, 0])
    assert.equal((await findSample(server.engine, { dataset: 'versions', sampleId: 'greet' })).row.version, 3)
  })

  test('pages have exact totals, and a search finds parts of ids in any case', async () => {
    const rows = Array.from({ length: 7 }, (_, index) => ({ ...sweBenchRow, instance_id: `Many_${index}` }))
    await add('many', rows.map((row) => JSON.stringify(row)).join('\n'))
    const page = async (query: string) => {
      const { samples, ...rest } = await samplesOf(`?dataset=many${query}`)
      return { ids: samples.map((sample: { instance_id: string }) => sample.instance_id), ...rest }
    }
    assert.deepEqual(await page('&page=2&page_size=3'), {
      ids: ['Many_3', 'Many_4', 'Many_5'],
      ...{ total_count: 7, page: 2, page_size: 3, has_more: true },
    })
    const last = await page('&page=3&page_size=3')
    assert.deepEqual([last.ids, last.has_more], [['Many_6'], false])
    assert.deepEqual((await page('&page=4&page_size=2')).ids, ['Many_6'])
    assert.deepEqual((await page('&page=3&page_size=2')).ids, ['Many_4', 'Many_5'])
    assert.deepEqual((await page('&page=4&page_size=3')).ids, [])
    assert.deepEqual((await page('&search=mANY_6')).ids, ['Many_6'])
    assert.deepEqual((await page('&search=%25')).ids, [])
    const { page_size: size, has_more: hasMore } = await page('')
    assert.deepEqual([size, hasMore], [7, false])
    assert.deepEqual((await samplesOf('?dataset=unknown')).total_count, 0)
    for (const [query, field] of [
      ['?page=0', 'page'],
      ['?page_size=101', 'page_size'],
    ]) {
      const { status, body } = await server.call('GET', `/samples${query}`)
      assert.deepEqual([status, body.detail[0].loc], [422, ['query', field]])
    }
  })

  test('removing a dataset or a sample removes its files, unless another sample has the same', async () => {
    const before = readdirSync(versions()).length
    await addFiles('kept', inFolder('one', { ...plainTask, 'instruction.md': 'The same.\n' }))
    await addFiles('gone', {
      ...inFolder('one', { ...plainTask, 'instruction.md': 'The same.\n' }),
      ...inFolder('two', { ...plainTask, 'instruction.md': 'Something else.\n' }),
    })
    const { directory } = await findSample(server.engine, { dataset: 'gone', sampleId: 'two' })
    assert.deepEqual((await server.call('DELETE', '/datasets/gone/samples/two')).body.removed, 1)
    assert.equal((await samplesOf('?dataset=gone')).total_count, 1)
    assert.equal(existsSync(directory), false)
    assert.equal((await server.call('DELETE', '/datasets/gone/samples/two')).status, 404)
    assert.deepEqual((await server.call('DELETE', '/datasets/gone')).body.removed, 1)
    assert.equal((await server.call('DELETE', '/datasets/gone')).status, 404)
    const kept = await findSample(server.engine, { dataset: 'kept', sampleId: 'one' })
    assert.ok(existsSync(kept.directory))
    await server.call('DELETE', '/datasets/kept')
    assert.equal(readdirSync(versions()).length, before)
  })

  test('files that no version has are deleted, and those of versions stay', async () => {
    await addFiles('pruned', inFolder('one', { ...plainTask, 'instruction.md': 'Stay.\n' }))
    const { row, directory } = await findSample(server.engine, { dataset: 'pruned', sampleId: 'one' })
    await server.db.deleteFrom('samples').where('id', '!=', row.id).execute()
    await pruneVersions(server.engine)
    assert.deepEqual(readdirSync(versions()).toSorted(), [row.content_hash, `${row.content_hash}.tar.gz`])
    assert.ok(existsSync(join(directory, 'tests')))
  })

  test('only an admin of the owner with the scope account changes datasets', async () => {
    const other = await createAccount(server.db, 'other')
    const { ownerId } = server.engine.server
    const tokens = [
      (await insertToken(server.db, { accountId: other, kind: 'api_key', name: 'other' })).secret,
      (await insertToken(server.db, { accountId: ownerId, kind: 'api_key', name: 'compute', scopes: ['compute'] }))
        .secret,
    ]
    for (const token of tokens) {
      const options = { token, headers: bytes }
      const codes = [
        await server.call('POST', '/datasets?name=theirs', archiveOf(inFolder('one', plainTask)), options),
        await server.call('DELETE', '/datasets/theirs', undefined, { token }),
        await server.call('DELETE', '/datasets/theirs/samples/one', undefined, { token }),
      ].map(({ status, body }) => [status, body.detail.code])
      assert.deepEqual(
        codes,
        codes.map(() => [403, 'FORBIDDEN']),
      )
    }
  })
})
