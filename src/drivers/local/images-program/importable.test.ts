import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../system/run.ts'
import { importable } from './importable.ts'

test('importable() tells references, archives, layouts and Dockerfiles apart', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'carrel-test-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = async (path: string) => {
    await mkdir(join(directory, path, '..'), { recursive: true })
    await writeFile(join(directory, path), '')
  }
  const archive = async (name: string, content: string) => {
    await file(`${name}/${content}`)
    await run('tar', ['--create', '--file', join(directory, `${name}.tar`), '--directory', join(directory, name), '.'])
    return join(directory, `${name}.tar`)
  }
  await file('layout/oci-layout')
  await file('empty/readme')
  await file('text')
  const [oci, docker, other] = [
    await archive('oci', 'oci-layout'),
    await archive('docker', 'manifest.json'),
    await archive('other', 'readme'),
  ]
  const references: [source: string, reference: string][] = [
    ['docker://python:3.12', 'docker://python:3.12'],
    [oci, `oci-archive:${oci}`],
    [docker, `docker-archive:${docker}`],
    [join(directory, 'layout'), `oci:${join(directory, 'layout')}`],
  ]
  for (const [source, reference] of references)
    assert.equal((await importable(source, () => {})).reference, reference, source)
  const refused: [source: string, reason: RegExp][] = [
    ['python', /there is no such file or folder; .* docker:\/\/python$/],
    [join(directory, 'text'), /not an archive|holds no image/],
    [other, /the archive holds no image/],
    [join(directory, 'empty'), /neither a Dockerfile nor an OCI layout/],
  ]
  for (const [source, message] of refused)
    await assert.rejects(
      importable(source, () => {}),
      { code: 'invalid_request', message },
      source,
    )
})
