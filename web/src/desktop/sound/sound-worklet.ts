import { SoundBuffer } from './sound-buffer.ts'

/** The part of the scope of an audio worklet that is used: it is not among the types of a page. */
declare const sampleRate: number
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

/** Plays what the page posts to it: interleaved stereo samples of 16 bits. */
class SoundProcessor extends AudioWorkletProcessor {
  readonly #buffer = new SoundBuffer({ startFrames: sampleRate * 0.08, maxFrames: sampleRate * 0.4 })

  constructor() {
    super()
    this.port.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#buffer.push(new Int16Array(data, 0, Math.floor(data.byteLength / 2))),
    )
    this.port.start()
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const [left, right] = output ?? []
    if (left && right) this.#buffer.pull(left, right)
    return true
  }
}

registerProcessor('carrel-sound', SoundProcessor)
