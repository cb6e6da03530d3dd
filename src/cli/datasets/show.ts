import type { Carrel, Sample } from '../../../sdk/index.ts'
import { missing, type ActionCall } from '../computers/action.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'

export async function list({ program, values }: ActionCall, client: Carrel): Promise<void> {
  const datasets = await client.datasets.list()
  if (values.json) return program.stdout.line(JSON.stringify({ datasets }))
  if (datasets.length === 0)
    return program.stderr.line(`There is no dataset yet: "${program.name} datasets new <folder>" writes one.`)
  const rows = datasets.map(({ name, sample_count: count, description, created_at: at }) => [
    name,
    String(count),
    shortTime(at),
    printable(description),
  ])
  await program.stdout.write(table(datasetColumns, rows, program.stdout.width))
}

const datasetColumns = [
  { title: 'DATASET', shrinksTo: 20 },
  { title: 'SAMPLES', align: 'right' as const },
  { title: 'ADDED', dropOrder: 2 },
  { title: 'ABOUT', shrinksTo: 10, dropOrder: 1 },
]

/** Lists the samples of a dataset, or shows one. */
export async function show(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const [dataset, sampleId] = operands
  if (dataset === undefined) throw missing(call, 'dataset')
  const search = values['search'] as string | undefined
  const samples: Sample[] = []
  for await (const sample of client.datasets.allSamples({ dataset, search }))
    if (sampleId === undefined || sample.sample_id === sampleId) samples.push(sample)
  if (samples.length === 0) throw new Error(noneOf(dataset, sampleId, search))
  if (values.json) return program.stdout.line(JSON.stringify({ samples }))
  if (sampleId !== undefined) return program.stdout.write(textOf(samples[0]!))
  await program.stdout.write(table(sampleColumns, samples.map(rowOf), program.stdout.width))
}

function noneOf(dataset: string, sampleId: string | undefined, search: string | undefined): string {
  if (sampleId !== undefined) return `Cannot show sample "${sampleId}": dataset "${dataset}" does not have it`
  if (search !== undefined) return `Dataset "${dataset}" has no sample with "${search}" in its id`
  return `Cannot show dataset "${dataset}": it does not exist, or has no samples`
}

const sampleColumns = [
  { title: 'SAMPLE', shrinksTo: 20 },
  { title: 'VERSION', align: 'right' as const, dropOrder: 2 },
  { title: 'CHANGED', dropOrder: 3 },
  { title: 'TASK', shrinksTo: 10, dropOrder: 1 },
]

function rowOf({ sample_id: id, version, created_at: at, problem_statement: problem }: Sample): string[] {
  const [line = ''] = problem.trimStart().split('\n', 1)
  return [id, String(version), shortTime(at), printable(line.slice(0, 200))]
}

function textOf(sample: Sample): string {
  const facts = [
    ['Sample', sample.sample_id],
    ['Task', sample.instance_id],
    ['About', sample.description],
    ['Repository', [sample.repo, sample.base_commit].filter(Boolean).join(' at ')],
    ['Language', sample.language],
    ['Version', [String(sample.version), sample.version_description].filter(Boolean).join(': ')],
    ['Changed', shortTime(sample.created_at)],
  ].filter(([, value]) => value !== '')
  const lines = facts.map((row) => row.map(printable))
  const problem = sample.problem_statement.trimEnd().split('\n').map(printable).join('\n')
  return `${table([{}, {}], lines)}\n${problem}\n`
}
