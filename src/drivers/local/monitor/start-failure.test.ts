import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFailure } from './start-failure.ts'

const said = {
  'executable file `nothing` not found in $PATH: No such file or directory': 'not_found',
  'open executable: Permission denied': 'not_found',
  'exec: "nothing": executable file not found in $PATH': 'not_found',
  'chdir to `/nothing`: No such file or directory': 'not_found',
  'the container `x` is not running.': 'conflict',
  'container "x" does not exist': 'conflict',
  'fork: Resource temporarily unavailable': 'unavailable',
  'runtime/cgo: pthread_create failed: Resource temporarily unavailable\nSIGABRT: abort\n0x0: 0x1': 'unavailable',
  'exec `bash`: Resource temporarily unavailable': 'unavailable',
  'open executable: Cannot allocate memory': 'unavailable',
  'clone: Resource temporarily unavailable': 'unavailable',
  'fail startup': 'unavailable',
  'executable file `fork: Cannot allocate memory` not found in $PATH: No such file or directory': 'not_found',
  'cannot exec in container `x`: the container is paused': 'conflict',
  'something new': 'internal',
  '': 'unavailable',
}

for (const [stderr, code] of Object.entries(said)) {
  test(`a runtime that says ${JSON.stringify(stderr)} is a ${code}`, () => {
    const error = startFailure(stderr && `a warning before it\n${stderr}\n`)
    assert.equal(error.code, code)
    assert.ok(error.message.length > 0)
  })
}
