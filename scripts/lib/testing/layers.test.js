import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'

/** @type {[file: string, imported: string][]} */
const forbidden = [
  ['src/engine/computers/a.ts', '../../apis/paperpod/routes.ts'],
  ['src/engine/computers/b.ts', '../../http/server.ts'],
  ['src/engine/computers/c.ts', '../../drivers/local/driver.ts'],
  ['src/engine/d.ts', '../drivers/choose.ts'],
  ['src/engine/computers/files/e.ts', '../../deletion/delete-due.ts'],
  ['src/engine/computers/f.ts', '../engine.ts'],
  ['src/engine/environments/datasets/a.ts', '../../../apis/environments/schemas.ts'],
  ['src/engine/environments/b.ts', '../schedule.ts'],
  ['src/engine/computers/g.ts', '../environments/task.ts'],
  ['src/engine/identity/c.ts', '../environments/task.ts'],
  ['src/engine/money/d.ts', '../environments/task.ts'],
  ['src/engine/operations/c.ts', '../environments/task.ts'],
  ['src/engine/deletion/a.ts', '../engine.ts'],
  ['src/engine/identity/auth/a.ts', '../../computers/computers.ts'],
  ['src/engine/identity/b.ts', '../deletion/delete-due.ts'],
  ['src/engine/money/ledger/a.ts', '../../identity/identity.ts'],
  ['src/engine/money/b.ts', '../computers/computers.ts'],
  ['src/engine/money/c.ts', '../engine.ts'],
  ['src/engine/operations/a.ts', '../money/money.ts'],
  ['src/engine/audit/b.ts', '../identity/identity.ts'],
  ['src/drivers/local/a.ts', '../../engine/computers/create.ts'],
  ['src/drivers/local/b.ts', '../../apis/paperpod/routes.ts'],
  ['src/drivers/local/c.ts', '../../http/server.ts'],
  ['src/drivers/local/d.ts', '../../db/schema.ts'],
  ['src/drivers/local/e.ts', '../incus/driver.ts'],
  ['src/drivers/incus/f.ts', '../local/driver.ts'],
  ['src/drivers/memory/h.ts', '../local/driver.ts'],
  ['src/drivers/memory/i.ts', '../../engine/computers/create.ts'],
  ['src/engine/m.ts', '../drivers/memory/memory-driver.ts'],
  ['src/drivers/g.ts', '../engine/computers/create.ts'],
  ['src/db/a.ts', '../engine/computers/create.ts'],
  ['src/db/b.ts', '../drivers/driver.ts'],
  ['src/http/a.ts', '../apis/paperpod/routes.ts'],
  ['src/http/b.ts', '../drivers/local/driver.ts'],
  ['src/apis/paperpod/a.ts', '../pawpado/routes.ts'],
  ['src/apis/paperpod/b.ts', '../../apis/pawpado/routes.ts'],
  ['src/apis/paperpod/files/c.ts', '../../pawpado/routes.ts'],
  ['src/apis/paperpod/d.ts', '../../drivers/driver.ts'],
  ['src/apis/paperpod/e.ts', '../../drivers/local/driver.ts'],
  ['src/apis/paperpod/f.ts', '../../db/schema.ts'],
  ['src/apis/paperpod/g.ts', '../../engine/computers/lifecycle/destroy.ts'],
  ['src/apis/paperpod/sockets/h.ts', '../../../engine/computers/lifecycle/stop.ts'],
  ['src/apis/i.ts', '../engine/computers/lifecycle/start.ts'],
  ['src/http/c.ts', '../engine/computers/lifecycle/transition.ts'],
  ['src/cli/a.ts', '../errors.ts'],
  ['src/cli/b.ts', '../engine/computers/create.ts'],
  ['src/cli/verbs/c.ts', '../../errors.ts'],
  ['src/config/a.ts', '../drivers/local/driver.ts'],
  ['src/other.ts', './drivers/local/driver.ts'],
  ['src/other2.ts', './cli/output.ts'],
  ['src/start/a.ts', '../cli/output.ts'],
  ['src/cli/d.ts', '../slices.ts'],
  ['src/cli/verbs/e.ts', '../../slices.ts'],
  ['src/cli/verbs/f.ts', '../../text-bytes.ts'],
  ['bench/a.ts', '../src/drivers/local/driver.ts'],
  ['sdk/a.ts', '../src/errors.ts'],
  ['web/src/a.ts', '../../src/errors.ts'],
  ['web/src/files/b.ts', '../../../sdk/index.ts'],
  ['web/src/files/c.ts', 'node:fs'],
  ['sdk/node/b.ts', '../../src/errors.ts'],
]

/** @type {[file: string, imported: string][]} */
const allowed = [
  ['src/engine/computers/ok.ts', '../../drivers/driver.ts'],
  ['src/engine/computers/ok.ts', '../../drivers/driver-pages.ts'],
  ['src/engine/computers/ok2.ts', '../../db/schema.ts'],
  ['src/engine/computers/ok3.ts', '../files/read.ts'],
  ['src/engine/computers/files/ok4.ts', '../../identity/identity.ts'],
  ['src/engine/identity/ok.ts', '../money/money.ts'],
  ['src/engine/money/ledger/ok.ts', '../../audit/append-event.ts'],
  ['src/engine/deletion/ok.ts', '../computers/computers.ts'],
  ['src/drivers/local/ok.ts', '../driver.ts'],
  ['src/drivers/local/network/ok.ts', '../../../errors.ts'],
  ['src/apis/paperpod/ok.ts', '../../engine/computers/create.ts'],
  ['src/apis/paperpod/ok2.ts', '../../http/server.ts'],
  ['src/apis/paperpod/files/ok3.ts', '../schemas.ts'],
  ['src/apis/paperpod/ok4.ts', '../mount.ts'],
  ['src/apis/paperpod/ok5.ts', '../../engine/computers/access/open-computer.ts'],
  ['src/http/ok.ts', '../engine/computers/create.ts'],
  ['src/cli/ok.ts', '../../sdk/index.ts'],
  ['src/cli/verbs/ok.ts', '../../../sdk/index.ts'],
  ['src/cli/verbs/ok2.ts', '../output.ts'],
  ['src/cli/ok2.ts', '../suggestion.ts'],
  ['src/cli/verbs/ok3.ts', '../../suggestion.ts'],
  ['src/cli/copy/ok4.ts', '../../tar/read-tar.ts'],
  ['src/engine/environments/ok.ts', '../computers/computers.ts'],
  ['src/start/ok.ts', '../suggestion.ts'],
  ['src/main.ts', './drivers/local/driver.ts'],
  ['src/engine/computers/ok.test.ts', '../../drivers/local/driver.ts'],
  ['test/ok.test.ts', '../src/drivers/local/driver.ts'],
  ['sdk/ok.ts', './client.ts'],
]

/** Ways to reach for a part of the engine that only its own functions use, each in every form that a handler could write. */
const reaches = [
  'export const x = (engine) => engine.db',
  "export const x = (engine) => engine['driver']",
  'export const x = ({ db }) => db',
  'export const x = ({ engine: { driver } }) => driver',
  'export const x = (engine) => { const { db: own } = engine; return own }',
  'export class X { #engine; x() { return this.#engine.driver.files() } }',
  'export const x = (engine) => engine.activity.begin()',
  'export const x = (engine) => engine.meter.began()',
]

describe('the layer rules', () => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-layers-'))
  /** @type {Map<string, string[]>} */
  const findings = new Map()

  before(async () => {
    copyFileSync(join(project.root, '.oxlintrc.json'), join(directory, '.oxlintrc.json'))
    for (const [file, imported] of [...forbidden, ...allowed]) write(file, `export { x } from '${imported}'\n`)
    write('src/ring/a.ts', "import { b } from './b.ts'\nexport const a = () => b\n")
    write('src/ring/b.ts', "import { a } from './a.ts'\nexport const b = () => a\n")
    for (const [index, text] of reaches.entries())
      for (const file of [
        `src/apis/paperpod/reach-${index}.ts`,
        `src/http/reach-${index}.ts`,
        `src/engine/reach-${index}.ts`,
      ])
        write(file, `${text}\n`)
    const oxlint = join(project.modules, '.bin/oxlint')
    const { output } = await runProgram([project.node, oxlint, '--format=json'], { cwd: directory })
    for (const { filename, code } of JSON.parse(output).diagnostics) {
      findings.set(filename, [...(findings.get(filename) ?? []), code])
    }
  })
  after(() => rmSync(directory, { recursive: true }))

  /**
   * @param {string} file
   * @param {string} text
   */
  function write(file, text) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text)
  }

  for (const [file, imported] of forbidden) {
    test(`forbid ${imported} in ${file}`, () => {
      assert.deepEqual(findings.get(file), ['eslint(no-restricted-imports)'])
    })
  }
  for (const [file, imported] of allowed) {
    test(`allow ${imported} in ${file}`, () => assert.equal(findings.get(file), undefined))
  }
  for (const [index, text] of reaches.entries())
    test(`keep the engine's parts out of surfaces: ${text}`, () => {
      const found = ['apis/paperpod', 'http', 'engine'].map((folder) => findings.get(`src/${folder}/reach-${index}.ts`))
      const refused = ['eslint(no-restricted-properties)']
      assert.deepEqual(found, [refused, refused, undefined])
    })
  test('forbid modules that import each other', () => {
    assert.deepEqual(findings.get('src/ring/a.ts'), ['import(no-cycle)'])
  })
})
