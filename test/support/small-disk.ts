import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readFileSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shiftOwners } from '../../src/drivers/local/images/shift-owners.ts'
import { openPool } from '../../src/drivers/local/storage/pool.ts'
import { testDataDirectory } from './server.ts'

/** The programs in the computers of a small disk, copied from this host. */
const programs = 'bash sh cat dd head id ls mkdir mv rm sleep sync stat true wc'.split(' ')

/** A separate disk for a data directory: small, so that it fills quickly, and sparse. */
export class SmallDisk {
  readonly #file = join(testDataDirectory, 'small-disk.img')
  readonly #mountPoint = join(testDataDirectory, 'small')
  /** The data directory. */
  readonly directory = join(this.#mountPoint, 'data')

  /** Creates a disk with a pool that has one image, `tiny`: a shell and some programs, in a few megabytes. */
  static async make(sizeMiB: number): Promise<SmallDisk> {
    const disk = new SmallDisk()
    disk.#clear()
    execFileSync('truncate', ['-s', `${sizeMiB}M`, disk.#file])
    execFileSync('mkfs.ext4', ['-q', '-m', '0', '-O', '^has_journal', disk.#file])
    mkdirSync(disk.#mountPoint, { recursive: true })
    execFileSync('mount', ['-o', 'loop', disk.#file, disk.#mountPoint])
    mkdirSync(disk.directory, { mode: 0o711 })
    await disk.#addImage()
    return disk
  }

  /** How many bytes are free for unprivileged programs. */
  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#mountPoint)
    return bavail * bsize
  }

  /** Fills the disk from outside except for `leftBytes`. Blocks are allocated without being written. */
  fill(leftBytes = 0): void {
    const filler = join(this.#mountPoint, `filler-${Date.now()}`)
    const bytes = this.freeBytes - leftBytes
    if (bytes > 0)
      try {
        execFileSync('fallocate', ['-l', String(bytes), filler], { stdio: 'ignore' })
      } catch {
        // The file's own metadata needs space too; the rest is filled below.
      }
    for (let free = this.freeBytes; leftBytes === 0 && free > 0; free = this.freeBytes)
      try {
        execFileSync('fallocate', ['-l', String(Math.max(4096, Math.floor(free / 2))), `${filler}-${free}`], {
          stdio: 'ignore',
        })
      } catch {
        if (this.freeBytes === free) return
      }
  }

  /** Deletes what `fill()` wrote. */
  clearOut(): void {
    execFileSync('sh', ['-c', `rm -f ${this.#mountPoint}/filler-*`])
  }

  /** Removes the disk, and everything that its server left running. */
  remove(): void {
    this.#clear()
  }

  #clear(): void {
    const down = fileURLToPath(new URL('../../scripts/down.js', import.meta.url))
    execFileSync(process.execPath, [down], { stdio: 'ignore', env: { ...process.env, CARREL_DATA: this.directory } })
    const mounts = readFileSync('/proc/self/mountinfo', 'latin1')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((target) => target === this.#mountPoint || target.startsWith(`${this.#mountPoint}/`))
    for (const target of mounts.toReversed()) {
      const device = execFileSync('findmnt', ['-no', 'SOURCE', target], { encoding: 'utf8' }).trim()
      execFileSync('umount', ['-l', target])
      if (target.endsWith('/pool') && device.startsWith('/dev/loop')) execFileSync('losetup', ['-d', device])
    }
    rmSync(this.#mountPoint, { recursive: true, force: true })
    rmSync(this.#file, { force: true })
  }

  async #addImage(): Promise<void> {
    const { storage, directory } = await openPool(this.directory)
    mkdirSync(join(directory, 'images'), { recursive: true })
    const id = 'tiny-000000000000'
    const volume = join(directory, 'images', id)
    await storage.create(volume)
    const root = join(volume, 'rootfs')
    for (const path of ['usr/bin', 'etc', 'proc', 'sys', 'dev', 'run', 'tmp', 'home/user', 'root'])
      mkdirSync(join(root, path), { recursive: true })
    for (const path of ['bin', 'sbin', 'lib', 'lib64'])
      symlinkSync(path === 'sbin' ? 'usr/bin' : `usr/${path}`, join(root, path))
    for (const program of programs) {
      const path = `/usr/bin/${program}`
      execFileSync('cp', ['-L', path, join(root, 'usr/bin', program)])
      const libraries = execFileSync('sh', ['-c', `ldd ${path} | grep -o '/[^ ]*'`], { encoding: 'utf8' })
      for (const library of libraries.trim().split('\n')) {
        const target = join(root, library.startsWith('/usr') ? library : `/usr${library}`)
        mkdirSync(dirname(target), { recursive: true })
        execFileSync('cp', ['-L', library, target])
      }
    }
    writeFileSync(
      join(root, 'etc/passwd'),
      'root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000:user:/home/user:/bin/bash\n',
    )
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nuser:x:1000:\n')
    for (const path of ['home/user', 'tmp']) chownSync(join(root, path), 1000, 1000)
    await shiftOwners(root)
    const image = {
      id,
      name: 'tiny',
      sizeBytes: 1,
      createdAtMs: 1,
      env: {},
      user: 'user',
      workdir: '/home/user',
      source: 'import',
    }
    writeFileSync(join(volume, 'image.json'), JSON.stringify(image))
  }
}
