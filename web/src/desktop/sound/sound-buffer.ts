const channels = 2

interface Options {
  /** How many frames are collected before sound begins, and again after it ran dry. */
  startFrames: number
  /** Beyond this many frames the oldest are dropped, down to `startFrames`: late sound is worse than a gap. */
  maxFrames: number
}

/** Stereo sound between the network, which brings it in bursts, and the speakers, which take it steadily. */
export class SoundBuffer {
  readonly #startFrames: number
  readonly #maxFrames: number
  /** Interleaved samples, as a ring. */
  readonly #ring: Int16Array
  #first = 0
  #frames = 0
  #isPlaying = false

  constructor({ startFrames, maxFrames }: Options) {
    this.#startFrames = startFrames
    this.#maxFrames = maxFrames
    this.#ring = new Int16Array(maxFrames * channels)
  }

  get frames(): number {
    return this.#frames
  }

  /** Adds interleaved samples of 16 bits. An incomplete frame at the end is left out. */
  push(samples: Int16Array): void {
    const newest = samples.subarray(0, samples.length - (samples.length % channels)).subarray(-this.#ring.length)
    const frames = newest.length / channels
    const overflow = this.#frames + frames > this.#maxFrames
    if (overflow) this.#drop(this.#frames - Math.max(0, this.#startFrames - frames))
    const end = (this.#first + this.#frames) * channels
    for (let at = 0; at < newest.length; at += 1) this.#ring[(end + at) % this.#ring.length] = newest[at]!
    this.#frames += frames
    if (this.#frames >= this.#startFrames) this.#isPlaying = true
  }

  /** Fills both channels with samples from -1 to 1; with silence where there is no sound. */
  pull(left: Float32Array, right: Float32Array): void {
    for (let at = 0; at < left.length; at += 1) {
      if (this.#frames === 0) this.#isPlaying = false
      const from = this.#first * channels
      left[at] = this.#isPlaying ? this.#ring[from]! / 32_768 : 0
      right[at] = this.#isPlaying ? this.#ring[from + 1]! / 32_768 : 0
      if (this.#isPlaying) this.#drop(1)
    }
  }

  #drop(frames: number): void {
    this.#first = (this.#first + frames) % this.#maxFrames
    this.#frames -= frames
  }
}
