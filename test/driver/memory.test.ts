import { MemoryDriver } from '../../src/drivers/memory/memory-driver.ts'
import { describeDriver, pureParts } from './contract.ts'
import { Subject } from './subject.ts'

describeDriver(
  'the driver in memory',
  async () => {
    const driver = MemoryDriver.open()
    return new Subject({ driver, image: await driver.images.build('slim', () => {}), recipe: 'slim' })
  },
  pureParts,
)
