import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

test('files that the docs name by a path suffix exist', () => {
  const files = ['src', 'sdk', 'test', 'bench', 'images', 'scripts', 'docs', 'bin'].flatMap((folder) =>
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
