import { execFileSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unmount } from '../../../src/drivers/local/host/mounts.ts'
import { LocalImages } from '../../../src/drivers/local/images/local-images.ts'
import { Paths } from '../../../src/drivers/local/paths.ts'
import { openPool } from '../../../src/drivers/local/storage/pool.ts'
import { networkBeside } from '../../driver/other-host.ts'
import { testDataDirectory, testNetwork, TestServer } from '../../support/server.ts'

const recipe = fileURLToPath(new URL('../../../images/slim', import.meta.url))
const down = fileURLToPath(new URL('../../../scripts/down.js', import.meta.url))

interface NodeOptions {
  name: string
  /** Where its network is beside that of the other tests, from 1 to 3. */
  place: number
  env: Record<string, string>
}

/** A new data directory with a network of its own, and its servers, of which one runs at a time. */
export class TestNode {
  readonly name: string
  /** What other servers say of where this node is. */
  readonly address: string
  readonly paths: Paths
  readonly #env: Record<string, string>
  #process: ChildProcess | undefined
  #isReady = false
  #isRemoved = false
  #ready = Promise.withResolvers<TestServer>()
  /** The servers that were told to end. */
  readonly #signalled = new WeakSet<ChildProcess>()
  readonly #logs: (() => string)[] = []

  private constructor(paths: Paths, { name, place, env }: NodeOptions) {
    this.name = name
    this.address = `http://${name}.node.test`
    this.paths = paths
    this.#env = {
      ...env,
      CARREL_DATA: paths.data,
      CARREL_NETWORK: networkBeside(testNetwork, place),
      CARREL_NODE_ADDRESS: this.address,
    }
  }

  /** Makes a node with the image of the other tests, which is not copied. */
  static async create(options: NodeOptions): Promise<TestNode> {
    const dataDirectory = join(testDataDirectory, options.name)
    removeDirectory(dataDirectory)
    mkdirSync(dataDirectory, { recursive: true, mode: 0o711 })
    // What a run that is killed leaves is found by this file.
    writeFileSync(join(dataDirectory, 'server.lock'), '')
    const images = await imagesOfTests()
    const { directory } = await openPool(dataDirectory)
    symlinkSync(images, join(directory, 'images'))
    // Mounts on the way to a directory that a variable names stay in the mount namespace of a server.
    const env = { ...options.env, TEST_IMAGES: images }
    return new TestNode(new Paths(dataDirectory), { ...options, env })
  }

  /** Resolves with the server when one is ready. */
  server(): Promise<TestServer> {
    return this.#ready.promise
  }

  /** Starts a server. Resolves when it is ready or was signalled before, and rejects when it ended by itself. */
  async start(): Promise<void> {
    if (this.#isRemoved) throw new Error(`Cannot start a server: node ${this.name} is removed`)
    let child: ChildProcess | undefined
    const onSpawn = (spawned: ChildProcess) => {
      this.#process = child = spawned
    }
    try {
      const server = await TestServer.start({ env: this.#env, onSpawn })
      this.#logs.push(server.log)
      // Its log is complete when its descriptors are closed.
      server.process.once('close', (code, signal) => {
        if (!this.#signalled.has(server.process))
          this.#fail(`it ended by itself with ${code ?? signal}:\n${server.log().slice(-4000)}`)
      })
      if (this.#signalled.has(server.process)) return
      this.#isReady = true
      this.#ready.resolve(server)
    } catch (error) {
      if (!child || !this.#signalled.has(child)) throw error
    }
  }

  /** Ends the server, whether it is ready or not, and waits for its end. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process
    if (this.#isReady) this.#ready = Promise.withResolvers()
    this.#isReady = false
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    this.#signalled.add(child)
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  /** Returns what all servers that became ready have logged as errors, but for requests that came while they stopped. */
  errors(): string[] {
    const lines = this.#logs.flatMap((log) =>
      log()
        .split('\n')
        .filter((line) => line.startsWith('{')),
    )
    return lines.filter((line) => {
      const { level, msg } = JSON.parse(line) as { level: number; msg: string }
      return level >= 50 && !msg.endsWith('the server is shutting down')
    })
  }

  /** Ends everything of the node and deletes its data. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    await this.stop('SIGKILL')
    this.#fail('it is removed')
    removeDirectory(this.paths.data)
    // The program above sees the mounts of this process, which may not be those of the machine.
    await unmount(join(this.paths.data, 'pool'))
  }

  /** Fails whatever waits for a server, or will. */
  #fail(why: string): void {
    if (this.#isReady) this.#ready = Promise.withResolvers()
    this.#isReady = false
    this.#ready.promise.catch(() => {})
    this.#ready.reject(new Error(`node ${this.name} has no server: ${why}`))
  }
}

function removeDirectory(path: string): void {
  if (!existsSync(join(path, 'server.lock'))) return rmSync(path, { recursive: true, force: true })
  execFileSync(process.execPath, [down, '--delete-data', '--yes'], { env: { ...process.env, CARREL_DATA: path } })
}

/** Returns the directory of the images of the other tests, with the small one. */
async function imagesOfTests(): Promise<string> {
  mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
  const { directory, storage } = await openPool(testDataDirectory)
  const storeDirectory = join(directory, 'images')
  await new LocalImages({ storeDirectory, storage, isInUse: async () => true }).build(recipe, () => {})
  return storeDirectory
}
