import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lockDataDirectory } from '../../src/data-lock.ts'
import { findProgram } from '../../src/drivers/local/containers/runtime.ts'
import { LocalDriver } from '../../src/drivers/local/local-driver.ts'
import { testDataDirectory, testNetwork } from '../support/server.ts'
import { describeDriver, hostParts, pureParts } from './contract.ts'
import { Subject } from './subject.ts'

const recipe = fileURLToPath(new URL('../../images/slim', import.meta.url))

mkdirSync(testDataDirectory, { recursive: true, mode: 0o711 })
lockDataDirectory(testDataDirectory)

if (findProgram('runc')) {
  const open = async () => {
    const driver = await LocalDriver.open({
      dataDirectory: testDataDirectory,
      runtime: 'runc',
      network: testNetwork,
      allowedAddresses: [],
      resolvers: [],
      networkPoolSize: 4,
    })
    return new Subject({ driver, image: await driver.images.build(recipe, () => {}), recipe })
  }
  // The parts of the contract that depend on the runtime.
  describeDriver('the local driver with runc', open, {
    life: pureParts.life,
    'life on a host': hostParts['life on a host'],
    exec: pureParts.exec,
    'exec on a host': hostParts['exec on a host'],
    input: pureParts.input,
    terminals: hostParts.terminals,
    tree: pureParts.tree,
    'tree on a host': hostParts['tree on a host'],
    guest: hostParts.guest,
  })
} else test('the local driver with runc', (t) => t.skip('runc is not installed'))
