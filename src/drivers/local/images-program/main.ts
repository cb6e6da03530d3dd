import { parseArgs } from 'node:util'
import { readSettings } from '../../../config/settings.ts'
import { openImages } from '../images/open-images.ts'
import { CarrelError } from '../../../errors.ts'
import { showProgress } from '../../../start/progress.ts'
import { importable } from './importable.ts'
import { printImages } from './print-images.ts'

/**
 * The program behind `carrel images`, which has checked the command line: `ls`, `import <source>` or `rm <image>`. Exits
 * with 1 when that is refused, and with 2 when it could not be done.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [what, operand = ''] = positionals
  if (process.getuid?.() !== 0)
    throw new Error('Cannot use the images of the server: this has to be run as root, as the server is')
  const images = await openImages(readSettings(process.env).dataDirectory)
  if (what === 'import') {
    const progress = showProgress(`Importing ${operand}`)
    await using source = await importable(operand, progress.step)
    const image = await images.import(source.reference, progress.step)
    progress.end()
    printImages([image], values)
  } else if (what === 'rm') {
    const image = await images.resolve(operand)
    if (!image) throw new CarrelError('not_found', `Cannot remove image "${operand}": there is none of that id or name`)
    await images.remove(image.id)
    printImages([image], values)
  } else printImages(await images.list(), values)
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof CarrelError ? 1 : 2
})
