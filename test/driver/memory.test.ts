import { MemoryDriver } from '../../src/drivers/memory/memory-driver.ts'
import { describeDriver, pureParts } from './contract.ts'
import { hostOf } from './other-host.ts'
import { Subject } from './subject.ts'

describeDriver(
  'the driver in memory',
  async () => {
    const { driver, image } = await open()
    return new Subject({ driver, image, recipe: 'slim', openOther: async () => hostOf(await open()) })
  },
  pureParts,
)

async function open(): Promise<Subject> {
  const driver = MemoryDriver.open()
  return new Subject({ driver, image: await driver.images.build('slim', () => {}), recipe: 'slim' })
}
