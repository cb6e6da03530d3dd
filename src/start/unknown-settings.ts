import { suggestion } from '../suggestion.ts'
import { readSettings } from '../config/settings.ts'

/**
 * Variables that are not for the server: those of the command line, of processes in computers, and of tests and
 * benchmarks.
 */
const others = /^CARREL_(TOKEN|URL|CLI_NAME|PROGRESS_AFTER_MS|PROCESS_ID|PROPERTY_RUNS|TEST_\w+|BENCH_\w+)$/

/** Returns a warning for each variable that is named like a setting but is none, such as a misspelt one. */
export function unknownSettings(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames()
  return Object.keys(env)
    .filter((name) => name.startsWith('CARREL_') && !known.includes(name) && !others.test(name))
    .toSorted()
    .map((name) => `${name} is not a setting and has no effect${suggestion(name, known)}`)
}

/** Returns the variables that `readSettings` reads, so that no second list can differ from them. */
function settingNames(): string[] {
  const asked = new Set<string>()
  readSettings(
    new Proxy<NodeJS.ProcessEnv>(
      {},
      {
        get: (_, name) => {
          asked.add(String(name))
          return undefined
        },
      },
    ),
  )
  return [...asked]
}
