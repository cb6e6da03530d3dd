import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { missing, type ActionCall } from '../computers/action.ts'
import { template } from './template.ts'

/** Writes a dataset with one task, as an example to change. */
export async function create(call: ActionCall): Promise<void> {
  const { program, values, operands } = call
  const [folder] = operands
  if (folder === undefined) throw missing(call, 'folder')
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw new Error(`Cannot write a dataset to "${folder}": it is not empty`)
  for (const [path, content] of Object.entries(template)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { flag: 'wx' })
    if (path.endsWith('.sh')) await chmod(file, 0o755)
  }
  if (values.json) return program.stdout.line(JSON.stringify({ folder, files: Object.keys(template) }))
  await program.stdout.line(
    `"${folder}" has a task in hello/: change it, copy it, then "${program.name} datasets add ${folder}"`,
  )
}
