import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { openDownload } from './download.ts'
import { streamOf } from './stream-of.ts'

export interface Dataset {
  name: string
  /** Empty if unknown. */
  description: string
  sample_count: number
  created_at: string
}

/** The newest version of a sample. What its format does not have is empty. */
export interface Sample {
  sample_id: string
  /** The dataset's own name of the task. */
  instance_id: string
  dataset: string
  description: string
  repo: string
  language: string
  base_commit: string
  environment_setup_commit: string
  /** What the agent has to do. */
  problem_statement: string
  hints_text: string
  /** The reference solution as a diff. */
  patch: string
  test_patch: string
  non_code_patch: string
  fail_to_pass: string[]
  pass_to_pass: string[]
  fail_to_fail: string[]
  verifier: string
  version: number
  version_description: string
  latest: boolean
  created_at: string
}

export interface SamplePage {
  samples: Sample[]
  total_count: number
  page: number
  page_size: number
  has_more: boolean
}

export interface SampleFilter extends RequestOptions {
  dataset?: string | undefined
  /** A part of the instance id, in any case. */
  search?: string | undefined
}

export interface AddDatasetOptions extends RequestOptions {
  /** Default: what the dataset says of itself. */
  description?: string | undefined
  /** What changed, for samples that get a new version. */
  versionDescription?: string | undefined
}

export interface AddedDataset {
  name: string
  added: number
  changed: number
  unchanged: number
  /** Tasks that cannot be added. */
  refused: number
  /** Why, for the first ones. */
  reasons: { task: string; reason: string }[]
}

export interface RemovedSamples {
  message: string
  /** Versions that are gone. */
  removed: number
  /** Versions that a session uses. */
  kept: number
}

/** Datasets of tasks, and their samples. They belong to the server: its owner's account adds and removes them. */
export class Datasets {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns all datasets, by name. */
  list(options: RequestOptions = {}): Promise<Dataset[]> {
    return this.#request('GET', '/datasets', options)
  }

  /** Returns a page of samples, by id. `page` counts from 1; a page has 1 to 100 samples. */
  samples({
    dataset,
    search,
    page = 1,
    pageSize = 100,
    ...options
  }: SampleFilter & { page?: number; pageSize?: number } = {}): Promise<SamplePage> {
    const query = { dataset, search, page: String(page), page_size: String(pageSize) }
    return this.#request<SamplePage>('GET', '/samples', options, query)
  }

  /** Yields all samples, page by page. */
  async *allSamples(filter: SampleFilter = {}): AsyncGenerator<Sample> {
    for (let page = 1, hasMore = true; hasMore; page++) {
      const { samples, has_more } = await this.samples({ ...filter, page })
      yield* samples
      hasMore = has_more && samples.length > 0
    }
  }

  /** Returns the archive of what an agent may see of a sample: a compressed tar, as a stream. */
  download(
    dataset: string,
    sampleId: string,
    { version, ...options }: RequestOptions & { version?: number | undefined } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { transport } = this.#context
    const path = `/samples/${encodeURIComponent(dataset)}/${encodeURIComponent(sampleId)}/download`
    return openDownload({
      baseUrl: transport.baseUrl,
      signal: options.signal,
      open: (headers) =>
        transport.open({
          method: 'GET',
          path,
          query: { version: version?.toString() },
          headers: { accept: '*/*', 'accept-encoding': 'identity', ...headers },
          retry: 'repeatable',
          ...callFields(options),
        }),
    })
  }

  /**
   * Adds a dataset, or to a dataset what is new: a tar archive of task folders, or rows as JSON Lines or Parquet. The
   * content is streamed, and not sent again.
   */
  async add(
    name: string,
    content: AsyncIterable<Uint8Array>,
    { description, versionDescription, ...options }: AddDatasetOptions = {},
  ): Promise<AddedDataset> {
    let failure: unknown
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* content
      } catch (error) {
        failure = error
        throw error
      }
    }
    try {
      return await this.#context.transport.json<AddedDataset>({
        method: 'POST',
        path: '/datasets',
        query: { name, description, version_description: versionDescription },
        stream: { body: streamOf(watched()), contentType: 'application/octet-stream' },
        retry: 'never',
        signal: options.signal,
        timeoutMs: options.requestTimeoutMs ?? Infinity,
      })
    } catch (error) {
      // A failure of the source is the cause; the failed request only follows from it.
      throw failure ?? error
    }
  }

  /** Removes a dataset with all its samples. */
  remove(name: string, options: RequestOptions = {}): Promise<RemovedSamples> {
    return this.#request('DELETE', `/datasets/${encodeURIComponent(name)}`, options)
  }

  /** Removes a sample with all its versions. */
  removeSample(name: string, sampleId: string, options: RequestOptions = {}): Promise<RemovedSamples> {
    const path = `/datasets/${encodeURIComponent(name)}/samples/${encodeURIComponent(sampleId)}`
    return this.#request('DELETE', path, options)
  }

  #request<T>(
    method: 'GET' | 'DELETE',
    path: string,
    options: RequestOptions,
    query: Record<string, string | undefined> = {},
  ): Promise<T> {
    const retry = method === 'GET' ? ('repeatable' as const) : ('refused' as const)
    return this.#context.transport.json({ method, path, query, retry, ...callFields(options) })
  }
}
