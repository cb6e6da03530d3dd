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
  for (const page of pages) {
    const paths = [...read(page).matchAll(/`((?:src|docs|images|scripts|test|bench|sdk)\/[\w./-]*)`/g)]
    const links = [...read(page).matchAll(/\]\((?!http|#)([^)#]+)\)/g)]
    for (const [, path = ''] of paths) assert.ok(existsSync(root + path), `${page} names ${path}`)
    for (const [, link = ''] of links)
      assert.ok(existsSync(root + (page.startsWith('docs/') ? `docs/${link}` : link)), `${page} links to ${link}`)
  }
})

test('files that the docs name by the end of their path exist', () => {
  const files = ['src', 'sdk', 'test', 'bench', 'images', 'scripts', 'docs', 'bin'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((name) => `/${folder}/${name}`),
  )
  for (const page of pages)
    for (const [, name = ''] of read(page).matchAll(/`([\w-][\w./-]*\.(?:ts|js|cjs|py|pl|sh))`/g))
      assert.ok(
        files.some((file) => file.endsWith(`/${name}`)),
        `${page} names ${name}`,
      )
})
