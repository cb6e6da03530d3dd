import { after, before, describe } from 'node:test'
import { describeBelow } from './contract/below.ts'
import { describeConnect } from './contract/connect.ts'
import { describeExec } from './contract/exec.ts'
import { describeFiles } from './contract/files.ts'
import { describeImages } from './contract/images.ts'
import { describeInput } from './contract/input.ts'
import { describeLife } from './contract/life.ts'
import { describeOutput } from './contract/output.ts'
import { describePages } from './contract/pages.ts'
import { describePaths } from './contract/paths.ts'
import { describePorts } from './contract/ports.ts'
import { describeRecords } from './contract/records.ts'
import { describeSearch } from './contract/search.ts'
import { describeSnapshots } from './contract/snapshots.ts'
import { describeTransfers } from './contract/transfers.ts'
import { describeTree } from './contract/tree.ts'
import { describeWatch } from './contract/watch.ts'
import { describeBelowOnHost } from './contract/host/below.ts'
import { describeExecOnHost } from './contract/host/exec.ts'
import { describeFilesOnHost } from './contract/host/files.ts'
import { describeGuest } from './contract/host/guest.ts'
import { describeLifeOnHost } from './contract/host/life.ts'
import { describeNetwork } from './contract/host/network.ts'
import { describePathsOnHost } from './contract/host/paths.ts'
import { describeTerminals } from './contract/host/terminals.ts'
import { describeTransfersOnHost } from './contract/host/transfers.ts'
import { describeTreeOnHost } from './contract/host/tree.ts'
import { describeWatchOnHost } from './contract/host/watch.ts'
import type { Part, Subject } from './subject.ts'

/** The contract of every driver: it needs no more than files, programs and signals. */
export const pureParts = {
  images: describeImages,
  life: describeLife,
  pages: describePages,
  exec: describeExec,
  input: describeInput,
  connect: describeConnect,
  output: describeOutput,
  records: describeRecords,
  tree: describeTree,
  files: describeFiles,
  paths: describePaths,
  below: describeBelow,
  search: describeSearch,
  watch: describeWatch,
  ports: describePorts,
  snapshots: describeSnapshots,
  transfers: describeTransfers,
} satisfies Record<string, Part>

/**
 * The additional contract of a driver whose computers have a kernel: its accounting, mounts, terminals, network and
 * races.
 */
export const hostParts = {
  'life on a host': describeLifeOnHost,
  'exec on a host': describeExecOnHost,
  'tree on a host': describeTreeOnHost,
  'transfers on a host': describeTransfersOnHost,
  'files on a host': describeFilesOnHost,
  'paths on a host': describePathsOnHost,
  'below on a host': describeBelowOnHost,
  'watch on a host': describeWatchOnHost,
  terminals: describeTerminals,
  network: describeNetwork,
  guest: describeGuest,
} satisfies Record<string, Part>

/** Tests a driver by parts of the contract. `open` is called once; its driver is closed after the last test. */
export function describeDriver(name: string, open: () => Promise<Subject>, parts: Record<string, Part>): void {
  describe(name, () => {
    let opened: Subject | undefined
    const subject = () => {
      if (!opened) throw new Error('the driver is not open')
      return opened
    }
    before(async () => {
      opened = await open()
    })
    after(async () => {
      await opened?.clear()
      await opened?.driver.close()
    })
    for (const [part, describePart] of Object.entries(parts)) describe(part, () => describePart(subject))
  })
}
