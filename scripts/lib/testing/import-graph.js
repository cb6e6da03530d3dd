import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Files that decide what every program runs with. */
const underAll = new Set(['package.json', 'package-lock.json'])
const isCode = (/** @type {string} */ file) => /\.[cm]?[jt]s$/.test(file)
const isTest = (/** @type {string} */ file) => /\.test\.[jt]s$/.test(file)

const comment = /^\s*(?:\/\*|\*|\/\/).*$/gm
const typeImport = /^(?:import|export) type [^'"]*['"][^'"]*['"]/gm
const literal = /(?<=(['"`]))[\w@./-]+(?=\1|\$\{)/g
const ownFolder = /new URL\(\s*['"`]([./]+)['"`],\s*import\.meta\.url|import\.meta\.dirname/g

/**
 * Knows which files of the project a file can reach. A name in quotes that is a file's counts, whether it is imported,
 * read or started as a program, and one that is a folder's counts for all that is in it: too many rather than too few.
 * Names that are made of parts are not seen, but for what stands before the first part that is put in.
 */
export class ImportGraph {
  #root
  /** @type {Set<string>} */
  #files
  /** @type {Map<string, string[]>} files by each folder around them */
  #folders = new Map()
  /** @type {Map<string, Set<string>>} who names a file */
  #namedBy = new Map()

  /** @param {string} root of the project */
  constructor(root) {
    this.#root = root
    const exclude = ['**/node_modules/**', '.git/**']
    const found = globSync('{**,.*}', { cwd: root, exclude, withFileTypes: true }).filter((entry) => entry.isFile())
    this.#files = new Set(found.map((entry) => relative(root, join(entry.parentPath, entry.name))))
    for (const file of this.#files)
      for (let folder = file; folder !== '.';) {
        folder = dirname(folder)
        this.#folders.set(folder, [...(this.#folders.get(folder) ?? []), file])
      }
    for (const file of this.#files)
      if (isCode(file))
        for (const named of this.#namesIn(file))
          this.#namedBy.set(named, (this.#namedBy.get(named) ?? new Set()).add(file))
  }

  /**
   * Returns the files that reach one of these, and these.
   * @param {string[]} changed relative to the project
   */
  reaching(changed) {
    if (changed.some((file) => underAll.has(file))) return this.#files
    const reached = new Set(changed)
    // What is added meanwhile is looked at too.
    for (const file of reached) for (const by of this.#namedBy.get(file) ?? []) reached.add(by)
    return reached
  }

  /** @param {string} file */
  #namesIn(file) {
    const text = readFileSync(join(this.#root, file), 'utf8').replaceAll(comment, '').replaceAll(typeImport, '')
    const named = (text.match(literal) ?? []).flatMap((name) => [
      ...this.#named(file, join(dirname(file), name), name),
      ...this.#named(file, join(name), name),
    ])
    // A test that asks for a folder around itself reads what is in there; other code looks for the project so.
    if (!isTest(file)) return named
    return [
      ...named,
      ...text.matchAll(ownFolder).flatMap(([, name = '.']) => this.#inFolder(join(dirname(file), name))),
    ]
  }

  /**
   * @param {string} file
   * @param {string} path
   * @param {string} name
   */
  #named(file, path, name) {
    if (this.#files.has(path)) return [path]
    const inside = name.includes('/') ? this.#inFolder(path) : []
    return inside.includes(file) ? [] : inside
  }

  /** @param {string} folder */
  #inFolder(folder) {
    return this.#folders.get(folder.replace(/\/$/, '')) ?? []
  }
}
