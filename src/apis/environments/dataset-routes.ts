import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { addDataset } from '../../engine/environments/datasets/add-dataset.ts'
import { assertServerOwner } from '../../engine/environments/datasets/assert-server-owner.ts'
import { removeDataset, removeSample, type Removed } from '../../engine/environments/datasets/remove-samples.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { addedAnswer, addQuery, datasetParams, removedAnswer, sampleParams } from './dataset-schemas.ts'

/** Adds the routes that change datasets, which the published API lacks: for the owner of the server. */
export function addDatasetRoutes(app: App, engine: Engine): void {
  void app.register(async (scope: App) => addUpload(scope, engine))
  app.delete(
    '/datasets/:dataset',
    {
      schema: { params: datasetParams, response: { 200: removedAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Remove a dataset with all its samples',
          notes: "Takes a token of the owner's account. Sessions that use a sample keep it.",
          errors: ['forbidden', 'not_found'],
        },
      },
    },
    async ({ params: { dataset }, caller }) => {
      assertServerOwner(engine, caller)
      return removedOf('The dataset was removed', await removeDataset(engine, dataset))
    },
  )
  app.delete(
    '/datasets/:dataset/samples/:sample_id',
    {
      schema: { params: sampleParams, response: { 200: removedAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Remove a sample with all its versions',
          notes: "Takes a token of the owner's account. Sessions that use the sample keep it.",
          errors: ['forbidden', 'not_found'],
        },
      },
    },
    async ({ params: { dataset, sample_id: sampleId }, caller }) => {
      assertServerOwner(engine, caller)
      return removedOf('The sample was removed', await removeSample(engine, dataset, sampleId))
    },
  )
}

function addUpload(app: App, engine: Engine): void {
  app.removeAllContentTypeParsers()
  // Of any type: the first bytes of the body say what it is.
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.post(
    '/datasets',
    {
      schema: { querystring: addQuery, response: { 200: addedAnswer }, consumes: ['application/octet-stream'] },
      bodyLimit: limits.datasetUploadBytes,
      // Before the body arrives.
      preParsing: async ({ caller }) => assertServerOwner(engine, caller),
      config: {
        scope: 'account',
        refusesUnknownFields: true,
        documentation: {
          description: 'Add a dataset, or what is new in it',
          contentType: 'application/octet-stream',
          form: Type.String({
            format: 'binary',
            description:
              'A tar archive of task folders, plain or compressed by gzip or zstd, or rows as JSON Lines or Parquet',
          }),
          params: {
            name: { type: 'string', required: true, description: 'Query param: name of the dataset' },
            description: { type: 'string', required: false },
            version_description: { type: 'string', required: false },
          },
          notes:
            "Takes a token of the owner's account. A task that asks for what this server cannot enforce is refused with its reason, and the others are added. A sample with other files than before gets a new version; the same content changes nothing. Samples that the archive lacks stay.",
          example: { name: 'greetings', file: exampleRow },
          errors: ['forbidden', 'conflict', 'too_large', 'limit_reached', 'no_capacity', 'unavailable'],
        },
      },
    },
    async (request) => {
      const { name, description, version_description: versionDescription } = request.query
      const body = (request.body as Readable | undefined) ?? emptyBody()
      const { refused, refusals, ...added } = await addDataset(engine, {
        name,
        description,
        versionDescription,
        body,
      }).catch((error: unknown) => {
        const { errored } = body as Readable
        if (errored && error === errored)
          throw new CarrelError('invalid_request', 'Cannot accept the dataset: its body was cut off', { cause: error })
        throw error
      })
      return { ...added, refused: refusals, reasons: refused }
    },
  )
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

function removedOf(message: string, { removed, kept }: Removed) {
  return { message, removed, kept }
}

/** A row of SWE-bench. */
const exampleRow = `${JSON.stringify({
  instance_id: 'greet-1',
  repo: 'example/greet',
  base_commit: '0000000000000000000000000000000000000000',
  problem_statement: 'greet() should say hello.',
  FAIL_TO_PASS: ['test_greet.py::test_hello'],
  PASS_TO_PASS: [],
  docker_image: 'greet:1',
})}\n`
