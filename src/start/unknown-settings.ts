import { suggestion } from '../cli/suggestion.ts'
import { readSettings } from '../config/settings.ts'

/** Not the server's, but of the command line, of processes in computers, and of the project's own tests and measurements. */
const others = /^CARREL_(TOKEN|URL|CLI_NAME|PROGRESS_AFTER_MS|PROCESS_ID|PROPERTY_RUNS|TEST_\w+|BENCH_\w+)$/

/** What to say of each variable that is called like a setting and is none, such as a misspelt one: it changes nothing. */
export function unknownSettings(env: NodeJS.ProcessEnv): string[] {
  const known = settingNames()
  return Object.keys(env)
    .filter((name) => name.startsWith('CARREL_') && !known.includes(name) && !others.test(name))
    .toSorted()
    .map((name) => `${name} is no setting, and changes nothing${suggestion(name, known)}`)
}

/** Those that `readSettings` looks at: there is no list of them that it could differ from. */
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
