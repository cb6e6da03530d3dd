import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = [
  ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
]
const read = (page: string) => readFileSync(root + page, 'utf8')

test('paths and links in the docs exist', () => {
  const missing = pages.flatMap((page) => {
    const paths = [...read(page).matchAll(/`((?:src|docs|images|scripts|test|bench|sdk)\/[\w./-]*)`/g)]
    const links = [...read(page).matchAll(/\]\((?!http|#)([^)#]+)\)/g)]
    const below = page.startsWith('docs/') ? 'docs/' : ''
    return [...paths.map(([, path]) => path!), ...links.map(([, link]) => below + link!)]
      .filter((path) => !existsSync(root + path))
      .map((path) => `${page} names ${path}`)
  })
  assert.deepEqual(missing, [])
})

/** Returns the anchors of a page, as GitHub derives them from headings. */
const anchorsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('anchors of links in the docs exist', () => {
  let checked = 0
  const wrong = [...pages, 'sdk/README.md', 'images/README.md'].flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].flatMap(([, path, anchor]) => {
      checked++
      const target = path ? relative(root, resolve(root, dirname(page), path)) : page
      return anchorsOf(target).includes(anchor!) ? [] : [`${page} links to ${target}#${anchor}`]
    }),
  )
  assert.deepEqual(wrong, [])
  assert.ok(checked > 10)
})

test('the packages that README names are those that the server needs', () => {
  const [, listed] = /missing Debian packages: ([^|]+) \|/.exec(read('README.md'))!
  const source = read('scripts/lib/packages/host-needs.js')
  const needed = [...source.matchAll(/choices: \[\s*\{ package: '([\w-]+)'/g)].map(([, name]) => name!)
  // Every Debian has these.
  const common = new Set(['util-linux', 'mount'])
  assert.deepEqual(listed!.split(', ').toSorted(), needed.filter((name) => !common.has(name)).toSorted())
})

test('files that the docs name by a path suffix exist', () => {
  const files = ['src', 'sdk', 'test', 'bench', 'images', 'scripts', 'docs', 'bin', 'web/src'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((name) => `/${folder}/${name}`),
  )
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/`([\w-][\w./-]*\.(?:ts|js|cjs|py|pl|sh))`/g)]
      .filter(([, name]) => !files.some((file) => file.endsWith(`/${name}`)))
      .map(([, name]) => `${page} names ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('lines of the docs have at most 120 characters, except tables and code', () => {
  const long = pages.flatMap((page) => {
    let isCode = false
    return read(page)
      .split('\n')
      .flatMap((line, index) => {
        if (line.trimStart().startsWith('```')) isCode = !isCode
        return line.length > 120 && !isCode && !/^\s*\|/.test(line) ? [`${page}:${index + 1}`] : []
      })
  })
  assert.deepEqual(long, [])
})
