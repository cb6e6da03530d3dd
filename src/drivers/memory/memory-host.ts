import type { ImageInfo } from '../driver.ts'
import { ProcessIndex } from '../process-index.ts'
import type { DirectoryNode } from './file-system/nodes.ts'
import type { MemoryComputer } from './memory-computer.ts'
import type { RunProcess } from './run-process.ts'

export interface MemorySnapshot {
  root: DirectoryNode
  image: string
  /** What it holds beyond its image. */
  usedBytes: number
}

/**
 * What outlives a server: images, computers and what runs in them. A driver that is opened on the host of an earlier
 * driver sees what a restarted server sees.
 */
export class MemoryHost {
  readonly images = new Map<string, { info: ImageInfo; root: DirectoryNode }>()
  readonly computers = new Map<string, MemoryComputer>()
  readonly snapshots = new Map<string, MemorySnapshot>()
  readonly processes = new ProcessIndex<RunProcess>()
}
