import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { appRoutes } from '../support/app-routes.ts'

const sources = fileURLToPath(new URL('../../src/', import.meta.url))

/** The HTTP layer itself serves documents, pages and metrics; every other route belongs to a surface. */
const isShared = (url: string) =>
  /^\/(docs|skills|openapi|metrics|assets|favicon|sign-in|api\/cli|status)\b|^\/SKILL\.md$|\/openapi\.json$|skill\.md$/.test(
    url,
  )

/** Returns the code of a module without its comments, which may name routes as examples. */
const codeOf = (text: string) => text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')

/** Addresses of GitHub and of OpenID issuers, which have the same paths, and links of pages. */
const allowed = [
  'engine/identity/auth/github.ts names /login',
  'engine/identity/auth/issuer-keys.ts names /.well-known/openid-configuration',
  'http/pages/header.ts names /health',
  'http/pages/home-page.ts names /health',
]

test('no module below the surfaces contains the path of one of their routes', async () => {
  const urls = new Set((await appRoutes({ CARREL_PLAY_MONEY: 'on' })).map(({ url }) => url))
  const paths = [...urls].filter((url) => url !== '/' && !isShared(url)).map((url) => url.replace(/\/:.*$/, ''))
  assert.ok(paths.length > 50)
  const found: string[] = []
  for (const name of globSync('{config,db,drivers,engine,http}/**/*.ts', { cwd: sources })) {
    if (name.endsWith('.test.ts')) continue
    const code = codeOf(readFileSync(sources + name, 'utf8'))
    for (const path of paths) {
      const isNamed = [`'${path}'`, `\`${path}\``, `}${path}`, `GET ${path}`, `POST ${path}`, `DELETE ${path}`].some(
        (text) => code.includes(text),
      )
      if (isNamed) found.push(`${name} names ${path}`)
    }
  }
  assert.deepEqual(found.toSorted(), allowed)
})
