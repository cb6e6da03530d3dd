import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { listDatasets } from '../../engine/environments/datasets/list-datasets.ts'
import { listSamples, type SampleReader } from '../../engine/environments/datasets/list-samples.ts'
import { openPublicArchive } from '../../engine/environments/datasets/open-public-archive.ts'
import type { App } from '../../http/app.ts'
import { callerOf } from '../../http/authenticate.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { sendDownload } from '../../http/send-download.ts'
import { isoTime } from '../iso-time.ts'
import {
  archiveAnswer,
  datasetsAnswer,
  downloadQuery,
  sampleParams,
  samplesAnswer,
  samplesQuery,
} from './dataset-schemas.ts'
import { sampleOf } from './sample-mapping.ts'

/** Adds the routes that read datasets. */
export function addSampleRoutes(app: App, engine: Engine): void {
  app.get(
    '/datasets',
    {
      schema: { response: { 200: datasetsAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'List available datasets',
          errors: ['limit_reached', 'no_capacity', 'unavailable'],
        },
      },
    },
    async (request) => {
      const datasets = await listDatasets(engine, `network ${networkOfRequest(request)}`)
      return datasets.map(({ name, description, sample_count: count, created_at: createdAtMs }) => ({
        name,
        description,
        sample_count: count,
        created_at: isoTime(Number(createdAtMs)),
      }))
    },
  )
  app.get(
    '/samples',
    {
      schema: { querystring: samplesQuery, response: { 200: samplesAnswer } },
      config: {
        public: true,
        documentation: {
          description: 'List available samples with optional pagination, optionally filtered by dataset',
          notes: `Works without a token, but shows solutions and the names of tests only with one. Without page and page_size the answer has the first ${limits.samplesWithoutPage} samples, and has_more says whether there are others.`,
          example: { dataset: 'greetings', page_size: '10' },
          errors: ['too_large', 'limit_reached', 'no_capacity', 'unavailable'],
        },
      },
    },
    async (request) => {
      const { dataset, search, page: pageText, page_size: sizeText } = request.query
      const hasPages = pageText !== undefined || sizeText !== undefined
      const page = Number(pageText ?? 1)
      const pageSize = Number(sizeText ?? (hasPages ? limits.samplesPerPage : limits.samplesWithoutPage))
      const caller = await callerOf(engine, request)
      const reader: SampleReader = {
        name: caller?.accountId ?? `network ${networkOfRequest(request)}`,
        // As text, as values, and as the answer.
        reserve: async (bytes) => {
          if (3 * bytes <= limits.uncountedBytes) return
          holdUntilAnswered(request, await engine.budgets.memory.reserve(caller?.accountId ?? '', 3 * bytes))
        },
      }
      const { total, samples } = await listSamples(engine, reader, { dataset, search, page, pageSize })
      return {
        samples: samples.map((sample) => sampleOf(sample, caller !== undefined)),
        total_count: total,
        page,
        page_size: hasPages ? pageSize : samples.length,
        has_more: page * pageSize < total,
      }
    },
  )
  app.get(
    '/samples/:dataset/:sample_id/download',
    {
      schema: { params: sampleParams, querystring: downloadQuery },
      config: {
        documentation: {
          description: 'Download the gz file for a specific sample',
          notes:
            'A tar archive with what an agent may see: the instruction, the files of its environment, and sample.json. Tests and solution are not in it.',
          errors: ['not_found', 'range_not_satisfiable', 'unavailable'],
          returns: 'A tar archive, compressed by gzip',
          answers: archiveAnswer,
        },
      },
    },
    async ({ params, query }, reply) => {
      const { dataset, sample_id: sampleId } = params
      const version = query.version === undefined ? undefined : Number(query.version)
      const archive = await openPublicArchive(engine, {
        dataset,
        sampleId,
        ...(version === undefined ? {} : { version }),
      })
      try {
        await sendDownload(reply, archive, 'application/gzip')
      } finally {
        archive.close()
      }
      return reply
    },
  )
}
