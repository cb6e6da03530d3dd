import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { formatAptSources, readAptSources } from './apt-sources.ts'
import type { AptSource } from './apt-sources.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'

const bookworm = { id: 'debian', codename: 'bookworm', architecture: 'x64' }
const jammy = { id: 'ubuntu', codename: 'jammy', architecture: 'x64' }
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

async function aptDirectory(t: TestContext, files: Record<string, string>): Promise<string> {
  const directory = await temporaryDirectory(t)
  for (const part of ['sources.list.d', 'auth.conf.d']) await mkdir(join(directory, part))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}

test('readAptSources() reads one-line files with options and comments', async (t) => {
  const directory = await aptDirectory(t, {
    'sources.list': [
      '# deb http://mirror.test/old jammy main',
      'deb http://mirror.test/ubuntu jammy main universe # the usual',
      'deb [arch=amd64 trusted=yes] http://mirror.test/ubuntu jammy-updates main restricted',
      'deb-src http://mirror.test/ubuntu jammy main',
    ].join('\n'),
  })
  assert.deepEqual(await readAptSources(jammy, directory), [
    {
      uris: ['http://mirror.test/ubuntu'],
      suites: ['jammy'],
      components: ['main', 'universe'],
      signedBy: undefined,
      options: {},
    },
    {
      uris: ['http://mirror.test/ubuntu'],
      suites: ['jammy-updates'],
      components: ['main', 'restricted'],
      signedBy: undefined,
      options: { Trusted: 'yes' },
    },
  ])
})

test('readAptSources() reads deb822 stanzas, without disabled ones', async (t) => {
  const stanza = `Types: deb deb-src\n# a comment\nURIs: http://mirror.test/debian\nSuites: bookworm\n bookworm-updates\nComponents: main\nSigned-By: ${keyring}\n`
  const directory = await aptDirectory(t, {
    'sources.list.d/debian.sources': `${stanza}\nEnabled: no\n${stanza.replace('/debian', '/off')}`,
  })
  assert.deepEqual(await readAptSources(bookworm, directory), [
    {
      uris: ['http://mirror.test/debian'],
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main'],
      signedBy: keyring,
      options: {},
    },
  ])
})

test('readAptSources() omits other suites, components and signers, and sources with a password', async (t) => {
  const directory = await aptDirectory(t, {
    'sources.list': [
      `deb [signed-by=${keyring}] http://mirror.test/debian bookworm main vendor`,
      'deb [signed-by=/etc/apt/keyrings/vendor.gpg] http://vendor.test/debian bookworm main',
      'deb http://vendor.test/debian nodistro main',
      'deb http://vendor.test/debian bookworm stable',
      'deb http://vendor.test/flat ./',
      'deb http://paid.test/debian bookworm-security main',
      'deb cdrom:[disc]/ bookworm main',
    ].join('\n'),
    'auth.conf.d/90paid.conf': 'machine http://paid.test/debian/ login bearer password secret\n',
    'sources.list.d/notes.txt': 'deb http://notes.test/debian bookworm main\n',
  })
  assert.deepEqual(await readAptSources(bookworm, directory), [
    { uris: ['http://mirror.test/debian'], suites: ['bookworm'], components: ['main'], signedBy: keyring, options: {} },
  ])
})

test('readAptSources() uses a mirror with a key of its own when there is no other source', async (t) => {
  const directory = await aptDirectory(t, {
    'sources.list': 'deb [signed-by=/etc/apt/keyrings/house.gpg] http://mirror.test/debian stable main\n',
  })
  const [source] = await readAptSources(bookworm, directory)
  assert.equal(source?.signedBy, '/etc/apt/keyrings/house.gpg')
  assert.deepEqual(source.suites, ['stable'])
})

test('readAptSources() replaces a mirror file by its first mirror', async (t) => {
  const directory = await aptDirectory(t, {
    'mirrors.list': '# mirrors\nhttp://near.test/debian\tpriority:1\nhttp://far.test/debian\n',
  })
  await writeFile(join(directory, 'sources.list'), `deb mirror+file://${directory}/mirrors.list bookworm main\n`)
  assert.deepEqual((await readAptSources(bookworm, directory))[0]?.uris, ['http://near.test/debian'])
})

test('formatAptSources() writes what readAptSources() reads', async (t) => {
  const sources: AptSource[] = [
    {
      uris: ['http://a.test/debian'],
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main', 'contrib'],
      signedBy: keyring,
      options: { 'Check-Valid-Until': 'no' },
    },
    {
      uris: ['http://b.test/debian'],
      suites: ['bookworm-security'],
      components: ['main'],
      signedBy: undefined,
      options: {},
    },
  ]
  const directory = await aptDirectory(t, { 'sources.list.d/a.sources': formatAptSources(sources) })
  assert.deepEqual(await readAptSources(bookworm, directory), sources)
})
