import { readFile } from 'node:fs/promises'

/**
 * The compiled seccomp filter. crun compiles the profile for each computer, which takes half of a start's time, but
 * also accepts a compiled filter in an annotation. This server takes the filter from its first start and keeps it to
 * itself, so that it always matches the profile. A runtime that does not know the annotation uses the profile, which
 * stays in the configuration.
 */
export class CompiledSeccomp {
  #program: string | undefined

  get annotations(): Record<string, string> {
    return this.#program === undefined ? {} : { 'run.oci.seccomp_bpf_data': this.#program }
  }

  /** Adopts the filter that the runtime compiled for a computer, from the state directory of its container. */
  async learn(stateDirectory: string): Promise<void> {
    if (this.#program !== undefined) return
    const program = await readFile(`${stateDirectory}/seccomp.bpf`).catch(() => undefined)
    if (program && program.length > 0 && program.length % instructionBytes === 0)
      this.#program = program.toString('base64')
  }
}

const instructionBytes = 8
