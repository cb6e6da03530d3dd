import { after, before, describe } from 'node:test'
import { describeExec } from './contract/exec.ts'
import { describeFiles } from './contract/files.ts'
import { describeGuest } from './contract/guest.ts'
import { describeImages } from './contract/images.ts'
import { describeInput } from './contract/input.ts'
import { describeLife } from './contract/life.ts'
import { describeNetwork } from './contract/network.ts'
import { describeOutput } from './contract/output.ts'
import { describePaths } from './contract/paths.ts'
import { describeRecords } from './contract/records.ts'
import { describeSnapshots } from './contract/snapshots.ts'
import { describeTree } from './contract/tree.ts'
import { describeWatch } from './contract/watch.ts'
import type { Subject } from './subject.ts'

const parts = {
  images: describeImages,
  life: describeLife,
  exec: describeExec,
  input: describeInput,
  output: describeOutput,
  records: describeRecords,
  tree: describeTree,
  files: describeFiles,
  paths: describePaths,
  watch: describeWatch,
  network: describeNetwork,
  snapshots: describeSnapshots,
  guest: describeGuest,
}

/** What every driver has to pass, or some parts of it. `open` is called once; its driver is closed after the last test. */
export function describeDriver(
  name: string,
  open: () => Promise<Subject>,
  wanted = Object.keys(parts) as (keyof typeof parts)[],
): void {
  describe(name, () => {
    let opened: Subject | undefined
    const subject = () => {
      if (!opened) throw new Error('The driver is not open')
      return opened
    }
    before(async () => {
      opened = await open()
    })
    after(async () => {
      await opened?.clear()
      await opened?.driver.close()
    })
    for (const part of wanted) describe(part, () => parts[part](subject))
  })
}
