/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** `message` unless the server names the event. */
  event: string
  data: string
  /** The last id seen so far. */
  id: string
}

/** Longest accepted event, in characters. */
const maxEventLength = 64 * 1024 * 1024

/**
 * Yields events as the HTML standard defines them: with any line ending, without comments, with several `data` lines
 * joined. An incomplete event at the end of the stream is dropped.
 */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let event = ''
  let id = ''
  let data: string[] = []
  let length = 0
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id }
      event = ''
      data = []
      length = 0
      continue
    }
    const [field, value] = splitField(line)
    if (field === 'event') event = value
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value)
    length += line.length
    if (length > maxEventLength) throw new RangeError(`An event is longer than ${maxEventLength} characters`)
  }
}

function splitField(line: string): [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon === -1) return [line, '']
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)]
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  // The pieces of the current line are joined once, so that the cost of a long line is linear in its length.
  let pieces: string[] = []
  let length = 0
  let endedWithReturn = false
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true })
    if (text === '') continue
    if (endedWithReturn && text.startsWith('\n')) text = text.slice(1)
    endedWithReturn = text.endsWith('\r')
    const parts = text.split(/\r\n|\r|\n/)
    const rest = parts.pop() ?? ''
    for (const part of parts) {
      yield pieces.join('') + part
      pieces = []
      length = 0
    }
    pieces.push(rest)
    length += rest.length
    if (length > maxEventLength) throw new RangeError(`An event is longer than ${maxEventLength} characters`)
  }
}
