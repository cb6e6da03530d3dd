import { streamOf } from './stream-of.ts'

export interface MultipartParts {
  /** Sent before the file, in this order; undefined fields are left out. */
  fields: Record<string, string | undefined>
  file: { name: string; content: AsyncIterable<Uint8Array> }
}

export interface MultipartStream {
  body: ReadableStream<Uint8Array>
  contentType: string
  /** Returns what reading the content of the file threw, if it threw. */
  sourceError(): unknown
}

/** Returns a `multipart/form-data` body (RFC 7578) with one file, which is read only as fast as it is sent. */
export function multipartStream({ fields, file }: MultipartParts): MultipartStream {
  const boundary = `carrel-${crypto.randomUUID()}`
  const encoder = new TextEncoder()
  let failure: unknown

  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue
      yield encoder.encode(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    }
    yield encoder.encode(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${escapeName(file.name)}"\r\n` +
        'content-type: application/octet-stream\r\n\r\n',
    )
    try {
      yield* file.content
    } catch (error) {
      failure = error
      throw error
    }
    yield encoder.encode(`\r\n--${boundary}--\r\n`)
  }

  return {
    body: streamOf(chunks()),
    contentType: `multipart/form-data; boundary=${boundary}`,
    sourceError: () => failure,
  }
}

/** Escapes a name as the HTML standard does for form fields. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
