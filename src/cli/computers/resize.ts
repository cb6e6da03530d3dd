import type { Capacity, Carrel } from '../../../sdk/index.ts'
import { table } from '../table.ts'
import { missing, type ActionCall } from './action.ts'
import { chosenOne } from './choose.ts'
import { newSizeOf, sizeOf, sizeText } from './size-options.ts'
import { settled } from './wait.ts'

export async function resize(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const size = newSizeOf(values)
  if (Object.values(size).every((value) => value === undefined)) throw missing(call, 'size')
  const begun = await client.computers.resize(await chosenOne(call, client), size)
  const { handle } = begun.computer
  if (begun.restart_required && !values.json)
    await program.stderr.line(`${handle} uses too much memory to get this size as it runs: it is restarted.`)
  const computer = await settled(call, client, begun)
  if (values.json) return program.stdout.line(JSON.stringify({ computer, restart_required: begun.restart_required }))
  if (values['no-wait']) return program.stdout.line(`${handle} is ${computer.state}`)
  const { requested_memory_mib: memoryMib, requested_storage_bytes: storageBytes, size_preset: preset } = computer
  await program.stdout.line(`${handle} has ${sizeText(memoryMib, storageBytes)} (${preset})`)
}

/** Tells whether a size fits. The exit code is 1 when it does not. */
export async function capacity(call: ActionCall, client: Carrel): Promise<number> {
  const { program, values, operands } = call
  const [computer] = operands
  const size = computer === undefined ? sizeOf(values) : newSizeOf(values)
  const found = await client.computers.capacity({ computer, ...size })
  if (values.json) await program.stdout.line(JSON.stringify(found))
  else await program.stdout.write(table([{}, {}], capacityFacts(found)))
  return found.available ? 0 : 1
}

function capacityFacts(found: Capacity): string[][] {
  const { available, reason_code: reason, requested_memory_mib: memoryMib, size_preset: preset } = found
  return [
    ['Size', `${sizeText(memoryMib, found.requested_storage_bytes)} (${preset})`],
    ['Fits', available ? 'yes' : `no: ${reason?.replaceAll('_', ' ') ?? 'no room'}`],
    ['Free', sizeText(found.available_memory_mib, found.available_storage_bytes)],
    ['Largest', found.max_memory_mib === 0 ? 'none' : sizeText(found.max_memory_mib, found.max_storage_bytes)],
  ]
}
