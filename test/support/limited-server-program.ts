/** The server with other limits than its own: those of CARREL_TEST_LIMITS, in JSON. */
import { setLimits } from './set-limits.ts'

setLimits(JSON.parse(process.env.CARREL_TEST_LIMITS!))

await import('../../src/main.ts')
