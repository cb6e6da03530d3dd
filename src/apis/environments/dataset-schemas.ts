import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { nullableText, nullableTime, object } from '../schema.ts'

const name = (description: string) =>
  Type.String({
    description,
    minLength: 1,
    maxLength: limits.datasetNameLength,
    pattern: patterns.datasetName.source,
    examples: ['greetings'],
  })
const sampleId = Type.String({
  description: 'Identifier of the sample',
  minLength: 1,
  maxLength: 200,
  examples: ['greet-1'],
})

export const datasetParams = object({ dataset: name('Name of the dataset') })
export const sampleParams = object({ dataset: name('Name of the dataset'), sample_id: sampleId })

export const datasetsAnswer = Type.Array(
  object({
    name: Type.String(),
    description: nullableText('A brief description of the dataset'),
    sample_count: Type.Integer({ description: 'Number of samples in the dataset' }),
    created_at: nullableTime('When the dataset was added'),
  }),
  { description: 'By name' },
)

export const samplesQuery = object({
  dataset: Type.Optional(Type.String({ description: 'Filter samples by dataset name', minLength: 1, maxLength: 200 })),
  search: Type.Optional(
    Type.String({ description: 'Search for samples by a part of the instance_id', maxLength: 200 }),
  ),
  page: Type.Optional(Type.String({ description: `Page number (1-based)`, pattern: patterns.page.source })),
  page_size: Type.Optional(
    Type.String({
      description: `Number of samples per page (max ${limits.samplesPerPage}); with page alone ${limits.samplesPerPage}. Without both, the first ${limits.samplesWithoutPage} samples are returned`,
      pattern: patterns.samplesPerPage.source,
    }),
  ),
})

const hidden = 'Empty without a valid token'
const texts = (description?: string) => Type.Array(Type.String(), description === undefined ? {} : { description })

export const sampleAnswer = object({
  sample_id: Type.String(),
  instance_id: Type.String({ description: "The dataset's own name of the task" }),
  dataset: Type.String(),
  description: nullableText(),
  repo: Type.String(),
  language: Type.String(),
  base_commit: Type.String(),
  environment_setup_commit: Type.String(),
  problem_statement: Type.String({ description: 'What the agent has to do' }),
  hints_text: Type.String(),
  patch: Type.String({ description: `The reference solution as a diff. ${hidden}` }),
  test_patch: Type.String({ description: `The diff that brings the tests. ${hidden}` }),
  non_code_patch: Type.String({ description: hidden }),
  fail_to_pass: texts(`Tests that a solution makes pass. ${hidden}`),
  pass_to_pass: texts(`Tests that have to go on passing. ${hidden}`),
  fail_to_fail: texts(hidden),
  verifier: Type.Enum(['test_suite', 'static_analysis', 'linter', 'custom'], { description: 'Always test_suite' }),
  version: Type.Integer({ description: 'From 1' }),
  version_description: nullableText('What changed in this version'),
  latest: Type.Boolean(),
  created_at: nullableTime('When this version was added'),
})

export const samplesAnswer = object({
  samples: Type.Array(sampleAnswer, { description: 'The newest version of each sample, by sample_id' }),
  total_count: Type.Integer({ description: 'Total number of samples available' }),
  page: Type.Integer({ description: 'Current page number (1-based)' }),
  page_size: Type.Integer({ description: 'Number of samples per page' }),
  has_more: Type.Boolean({ description: 'Indicates if more pages of results are available' }),
})

export const downloadQuery = object({
  version: Type.Optional(Type.String({ description: 'Default: the newest version', pattern: patterns.page.source })),
})

const line = (description: string) =>
  Type.Optional(Type.String({ description, maxLength: 1000, pattern: patterns.name.source }))

export const addQuery = object({
  name: name('Name of the dataset, which is created if there is none'),
  description: line('A brief description; default: that of dataset.toml'),
  version_description: line('What changed, for the samples that get a new version'),
})

export const addedAnswer = object({
  name: Type.String(),
  added: Type.Integer({ description: 'Samples that are new' }),
  changed: Type.Integer({ description: 'Samples whose files changed, and that got a new version' }),
  unchanged: Type.Integer({ description: 'Samples that are what they were' }),
  refused: Type.Integer({ description: 'Tasks that cannot be added' }),
  reasons: Type.Array(
    object({
      task: Type.String({ description: 'The folder of the task, or its file and line' }),
      reason: Type.String({ description: 'The file, the field and what is wrong' }),
    }),
    { description: `Why, for the first ${limits.refusedTasksListed}` },
  ),
})

export const removedAnswer = object({
  message: Type.String(),
  removed: Type.Integer({ description: 'Versions that are gone' }),
  kept: Type.Integer({ description: 'Versions that a session uses: hidden, and gone once none does' }),
})

/** The bytes of an archive. */
export const archiveAnswer = {
  200: {
    description: 'The archive',
    content: { 'application/gzip': { schema: Type.String({ format: 'binary' }) } },
  },
}
