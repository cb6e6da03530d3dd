import { readFile } from 'node:fs/promises'

/**
 * The seccomp filter as the kernel takes it. crun compiles the profile anew for each computer, which is half of a start's
 * time; it also takes a program that was compiled before, by annotation. The first start of this server yields it, and
 * nobody but this server uses it, so that it is never that of another profile.
 * A runtime that does not know the annotation goes by the profile, which stays in the configuration.
 */
export class CompiledSeccomp {
  #program: string | undefined

  get annotations(): Record<string, string> {
    return this.#program === undefined ? {} : { 'run.oci.seccomp_bpf_data': this.#program }
  }

  /** Takes over what the runtime compiled for a computer, which it keeps in that computer's state. */
  async learn(stateDirectory: string): Promise<void> {
    if (this.#program !== undefined) return
    const program = await readFile(`${stateDirectory}/seccomp.bpf`).catch(() => undefined)
    if (program && program.length > 0 && program.length % instructionBytes === 0)
      this.#program = program.toString('base64')
  }
}

const instructionBytes = 8
