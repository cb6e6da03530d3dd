import { Backoff } from '../../api/backoff.ts'
import { mayReconnect, socketUrl } from '../../api/sockets.ts'
import workletUrl from './sound-worklet.ts?worker&url'

const rate = 48_000

/** Plays the sound of the computer until it is closed. The computer makes none while nobody listens. */
export class SoundPlayer {
  readonly #context = new AudioContext({ sampleRate: rate, latencyHint: 'interactive' })
  readonly #backoff = new Backoff()
  readonly #onEnd: (problem: string) => void
  #node: AudioWorkletNode | undefined
  #socket: WebSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  /** Call it while handling a click: browsers play nothing by themselves. `onEnd`: sound cannot be played any more. */
  constructor(onEnd: (problem: string) => void) {
    this.#onEnd = onEnd
    this.#start().catch((error: unknown) => this.#end(error instanceof Error ? error.message : String(error)))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#socket?.close()
    void this.#context.close().catch(() => {})
  }

  async #start(): Promise<void> {
    await this.#context.audioWorklet.addModule(workletUrl)
    if (this.#isClosed) return
    this.#node = new AudioWorkletNode(this.#context, 'carrel-sound', { numberOfInputs: 0, outputChannelCount: [2] })
    this.#node.connect(this.#context.destination)
    await this.#context.resume()
    this.#connect()
  }

  #connect(): void {
    if (this.#isClosed) return
    const socket = new WebSocket(socketUrl('/api/sound/socket'))
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#takeFormat(data)
      else this.#node?.port.postMessage(data, [data])
    })
    socket.addEventListener('close', (close) => {
      if (this.#isClosed) return
      if (!mayReconnect(close)) return this.#end('')
      this.#timer = setTimeout(() => this.#connect(), this.#backoff.nextMs())
    })
  }

  #takeFormat(text: string): void {
    const format = JSON.parse(text) as { type: string; rate?: number; channels?: number; encoding?: string }
    if (format.type !== 'format') return
    this.#backoff.reset()
    if (format.rate !== rate || format.channels !== 2 || format.encoding !== 's16le')
      this.#end('The sound of the computer has a form that this page does not know.')
  }

  #end(problem: string): void {
    if (this.#isClosed) return
    this.close()
    this.#onEnd(problem)
  }
}
