import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MmdebstrapProgress } from './mmdebstrap-progress.ts'

const output = `I: running --setup-hook directly: maybe-merged-usr/setup00.sh
Get:1 http://mirror.test/debian bookworm InRelease [151 kB]
I: downloading packages with apt...
1 upgraded, 80 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.test/debian bookworm/main amd64 bash amd64 5.2 [1 kB]
I: extracting archives...
I: installing essential packages...
Unpacking bash (5.2) ...
Setting up bash (5.2) ...
I: installing remaining packages inside the chroot...
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.test/debian bookworm/main amd64 curl amd64 7.88 [1 kB]
Get:2 http://mirror.test/debian bookworm/main amd64 git amd64 2.39 [1 kB]
Unpacking curl (7.88) ...
Setting up curl (7.88) ...
Unpacking git (2.39) ...
Setting up git (2.39) ...
Setting up something that was not counted ...
I: cleaning package lists and apt cache...
I: success in 22.9810 seconds`.split('\n')

test('read() reports the phases, and counts the packages that are not essential', () => {
  const progress = new MmdebstrapProgress()
  const steps = output.flatMap((line) => progress.read(line)?.step ?? [])
  assert.deepEqual(steps, [
    'Reading the package lists',
    'Downloading essential packages',
    'Extracting essential packages',
    'Installing essential packages',
    'Installing packages',
    'Downloading packages (1 of 2)',
    'Downloading packages (2 of 2)',
    'Unpacking packages (1 of 2)',
    'Setting up packages (1 of 2)',
    'Unpacking packages (2 of 2)',
    'Setting up packages (2 of 2)',
    'Setting up packages (2 of 2)',
    'Cleaning up after the packages',
  ])
})

test('read() returns fractions that only rise, up to 1', () => {
  const progress = new MmdebstrapProgress()
  const fractions = output.flatMap((line) => progress.read(line)?.fraction ?? [])
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  )
  assert.equal(fractions.at(-1), 1)
})
