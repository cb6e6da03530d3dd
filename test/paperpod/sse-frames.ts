import assert from 'node:assert/strict'

export interface Frame {
  id?: string
  event: string
  data: any // oxlint-disable-line typescript/no-explicit-any -- tests look into events of every shape
}

/**
 * Reads a stream of server-sent events as it arrives. Throws on an invalid frame: a frame has an optional `id`,
 * `event`, one line of JSON as `data`, and an empty line after it. Comments are skipped.
 */
export async function* readFrames(response: Response): AsyncIterable<Frame> {
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  let text = ''
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes as Uint8Array, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = text.slice(0, end)
      text = text.slice(end + 2)
      if (!frame.startsWith(':')) yield parseFrame(frame)
    }
  }
  assert.equal(text, '', 'the stream ended inside a frame')
}

function parseFrame(frame: string): Frame {
  const match = /^(?:id: (\d+)\n)?event: ([a-z]+)\ndata: ([^\n\r]+)$/.exec(frame)
  assert.ok(match, `not a frame: ${JSON.stringify(frame.slice(0, 200))}`)
  const [, id, event, data] = match
  return { ...(id === undefined ? {} : { id }), event: event!, data: JSON.parse(data!) }
}
