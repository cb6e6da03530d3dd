import type { Carrel } from '../../../sdk/index.ts'
import { missing, type ActionCall } from '../computers/action.ts'
import { confirm } from '../computers/confirm.ts'

/** Removes a dataset or one of its samples. */
export async function remove(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const [dataset, sampleId] = operands
  if (dataset === undefined) throw missing(call, 'dataset')
  const what = sampleId === undefined ? `dataset "${dataset}" with all its samples` : `sample "${sampleId}"`
  await confirm(call, `Remove ${what}?`)
  const { datasets } = client
  const removed = await (sampleId === undefined ? datasets.remove(dataset) : datasets.removeSample(dataset, sampleId))
  if (values.json) return program.stdout.line(JSON.stringify(removed))
  const kept = removed.kept === 0 ? '' : `; ${removed.kept} versions stay for sessions that use them`
  await program.stdout.line(`${sampleId ?? dataset} is removed${kept}`)
}
