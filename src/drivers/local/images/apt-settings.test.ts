import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitAptSettings } from './apt-settings.ts'

const dump = [
  'APT::Architecture "amd64";',
  'Acquire "";',
  'Acquire::http "";',
  'Acquire::http::Proxy "http://user:secret@proxy.test:3128";',
  'Acquire::Check-Valid-Until "false";',
  'Acquire::IndexTargets::deb::Packages::MetaKey "x";',
  'DPkg::Post-Invoke:: "rm -rf /somewhere";',
].join('\n')

test('splitAptSettings() keeps proxies for the download and out of the guest', () => {
  const { download, guest } = splitAptSettings(dump)
  assert.match(download, /^Acquire::http::Proxy "http:\/\/user:secret@proxy\.test:3128";$/m)
  assert.doesNotMatch(guest, /Proxy|secret/)
})

test('splitAptSettings() keeps settings of the sources for both, and hooks of the host for neither', () => {
  const { download, guest } = splitAptSettings(dump)
  for (const settings of [download, guest]) {
    assert.match(settings, /^Acquire::Check-Valid-Until "false";$/m)
    assert.doesNotMatch(settings, /Post-Invoke|IndexTargets|Architecture/)
  }
})
