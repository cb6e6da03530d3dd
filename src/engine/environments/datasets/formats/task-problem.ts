/** Why a task cannot be added, with the file and the field or line that says so. */
export class TaskProblem extends Error {
  constructor(
    reason: string,
    place: { file?: string | undefined; field?: string | undefined; line?: number | undefined } = {},
  ) {
    const { file, field, line } = place
    const where = [line === undefined ? file : `${file ?? 'line'}:${line}`, field].filter(Boolean).join(': ')
    super(where ? `${where}: ${reason}` : reason)
    this.name = 'TaskProblem'
  }
}
