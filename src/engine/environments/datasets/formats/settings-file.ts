import { parse as parseToml, TomlError } from 'smol-toml'
import { parseDocument } from 'yaml'
import { Fields } from './fields.ts'
import type { TaskFolder } from './task-folder.ts'
import { TaskProblem } from './task-problem.ts'

/** Returns the fields of a TOML file. Throws a `TaskProblem` with the line of a mistake. */
export function tomlFields(folder: TaskFolder, file: string): Fields {
  try {
    return new Fields(file, parseToml(folder.text(file)))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')
    throw new TaskProblem(reason, { file, line: error.line })
  }
}

/** Returns the fields of a YAML file. Throws a `TaskProblem` with the line of a mistake. */
export function yamlFields(folder: TaskFolder, file: string): Fields {
  // Aliases may repeat each other: a few lines could become billions of values.
  const document = parseDocument(folder.text(file), { prettyErrors: true, logLevel: 'silent' })
  const [error] = document.errors
  if (error) {
    const line = error.linePos?.[0].line
    throw new TaskProblem(error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''), { file, line })
  }
  try {
    return new Fields(file, document.toJS({ maxAliasCount: 100 }) ?? {})
  } catch (error) {
    if (error instanceof ReferenceError) throw new TaskProblem('its aliases repeat too much', { file })
    throw error
  }
}
