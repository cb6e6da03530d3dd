import type { Kysely } from 'kysely'
import type { Database } from '../../src/db/schema.ts'
import { noParts, noTexts, plainEnvironment } from '../../src/engine/environments/datasets/formats/read-task.ts'
import type { Task, TaskEnvironment } from '../../src/engine/environments/task.ts'
import { newId } from '../../src/engine/ids.ts'

/** Adds a sample with its dataset to a database, as rows alone, and returns how a request names it. */
export async function addSample(
  db: Kysely<Database>,
  environment: Partial<TaskEnvironment> & Pick<TaskEnvironment, 'source'>,
): Promise<{ dataset: string; sample_id: string }> {
  const [datasetId, id] = [newId(), newId()]
  const dataset = `dataset-${datasetId}`
  await db
    .insertInto('datasets')
    .values({ id: datasetId, name: dataset, description: '', sample_count: 1, created_at: 1 })
    .execute()
  await db
    .insertInto('samples')
    .values({
      id,
      dataset_id: datasetId,
      sample_id: 'one',
      instance_id: 'one',
      version: 1,
      is_latest: 1,
      content_hash: id,
      archive_bytes: 0,
      version_description: '',
      created_at: 1,
      removed_at: null,
    })
    .execute()
  await db
    .insertInto('sample_tasks')
    .values({ id, task: JSON.stringify(taskWith(environment)) })
    .execute()
  return { dataset, sample_id: 'one' }
}

function taskWith(environment: Partial<TaskEnvironment> & Pick<TaskEnvironment, 'source'>): Task {
  return {
    format: 'plain',
    instanceId: 'one',
    ...noTexts,
    ...noParts,
    problemStatement: 'Do it',
    environment: { ...plainEnvironment, ...environment },
    agent: { timeoutMs: null, user: null },
    verifier: {
      kind: 'plain',
      timeoutMs: 600_000,
      env: {},
      user: null,
      mode: 'fork',
      network: null,
      tests: 'tests',
      script: 'test.sh',
    },
  }
}
