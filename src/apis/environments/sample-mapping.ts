import type { Static } from 'typebox'
import type { ListedSample } from '../../engine/environments/datasets/list-samples.ts'
import { isoTime } from '../iso-time.ts'
import type { sampleAnswer } from './dataset-schemas.ts'

/**
 * Returns a sample as the API shows it; what a format does not have is empty. Solutions and the names of tests are for
 * callers with a token alone: the list needs none, and an agent that is being tested could read it.
 */
export function sampleOf({ row, dataset, task }: ListedSample, isKnownCaller: boolean): Static<typeof sampleAnswer> {
  const { patch, testPatch, nonCodePatch, failToPass, passToPass, failToFail } = isKnownCaller ? task : nothing
  return {
    sample_id: row.sample_id,
    instance_id: row.instance_id,
    dataset,
    description: task.description,
    repo: task.repo,
    language: task.language,
    base_commit: task.baseCommit,
    environment_setup_commit: task.environmentSetupCommit,
    problem_statement: task.problemStatement,
    hints_text: task.hintsText,
    patch,
    test_patch: testPatch,
    non_code_patch: nonCodePatch,
    fail_to_pass: failToPass,
    pass_to_pass: passToPass,
    fail_to_fail: failToFail,
    verifier: 'test_suite',
    version: row.version,
    version_description: row.version_description,
    latest: row.is_latest === 1,
    created_at: isoTime(Number(row.created_at)),
  }
}

const nothing = { patch: '', testPatch: '', nonCodePatch: '', failToPass: [], passToPass: [], failToFail: [] }
