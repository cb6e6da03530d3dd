import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const run = promisify(execFile)

export const projectRoot = dirname(fileURLToPath(new URL('../../package.json', import.meta.url)))

/** What `npm pack` needs of a clone. */
const packed = [
  'package.json',
  'README.md',
  'LICENSE',
  'tsconfig.json',
  'scripts/',
  'sdk/',
  'src/cli',
  'src/suggestion.ts',
  'src/tar',
]

/** A folder for clones and for the installed client, which ends with the test. */
export class PackedClient {
  readonly root = mkdtempSync(join(tmpdir(), 'carrel-package-'))

  /** Makes a clone of its own, as packing replaces files for a moment. Returns its path. */
  clone(name: string): string {
    const clone = join(this.root, name)
    for (const path of packed) cpSync(join(projectRoot, path), join(clone, path), { recursive: true })
    symlinkSync(join(projectRoot, 'node_modules'), join(clone, 'node_modules'))
    return clone
  }

  /** Runs `npm pack` in a clone. Returns the path of the package. */
  async pack(clone: string): Promise<string> {
    const { stdout } = await npm(clone, ['pack', '--json'])
    return join(clone, (JSON.parse(stdout) as { filename: string }[])[0]!.filename)
  }

  /** Installs a package in an empty folder. Returns the folder. */
  async install(tarball: string): Promise<string> {
    const folder = join(this.root, 'project')
    mkdirSync(folder)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    await npm(folder, ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball])
    return folder
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true })
  }
}

function npm(cwd: string, args: string[]) {
  return run('npm', args, { cwd })
}

/** Returns the oldest Node of this machine: that of PATH where it is not the project's own, as users may have it. */
export async function oldestNode(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const paths = [...new Set(folders.map((folder) => join(folder, 'node')))].filter((path) => existsSync(path))
  const found = await Promise.all(
    paths.map(async (path) => ({
      path,
      major: Number.parseInt((await run(path, ['-p', 'process.versions.node'])).stdout),
    })),
  )
  return found.filter(({ major }) => major >= 20).toSorted((a, b) => a.major - b.major)[0]!.path
}
