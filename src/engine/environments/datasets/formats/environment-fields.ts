import type { TaskHealthcheck, TaskNetwork } from '../../task.ts'
import type { Fields } from './fields.ts'

/** Returns variables. Harbor's `${NAME:-default}` becomes the default: a task cannot read the server's variables. */
export function variables(fields: Fields, name: string): Record<string, string> {
  const table = fields.table(name)
  const found: Record<string, string> = {}
  for (const variable of table.names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) table.fail(variable, 'is not a valid name of a variable')
    found[variable] = valueOf(table, variable)
  }
  return found
}

function valueOf(table: Fields, variable: string): string {
  const raw = table.raw(variable)
  const value = typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : (table.text(variable) ?? '')
  if (value.includes('\0')) return table.fail(variable, 'must not contain the character NUL')
  const [isTemplate, wanted, byDefault] = /^\$\{([^}:]+)(?::-(.*))?\}$/s.exec(value) ?? []
  if (!isTemplate) return value
  return (
    byDefault ??
    table.fail(
      variable,
      `needs $${wanted} of the machine that runs it, which this server does not pass on: give it a default, as in "\${${wanted}:-…}"`,
    )
  )
}

/** Returns a user by name or number. */
export function user(fields: Fields, name: string): string | null {
  const raw = fields.raw(name)
  const text = typeof raw === 'number' ? String(raw) : fields.text(name)
  if (text === undefined) return null
  return /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}$/.test(text) ? text : fields.fail(name, 'is not a valid user')
}

/** Returns a directory of the container. */
export function containerPath(fields: Fields, name: string): string | null {
  const path = fields.text(name)
  if (path === undefined) return null
  const isValid = path.startsWith('/') && !path.includes('\0') && path.length <= 4096 && !path.split('/').includes('..')
  return isValid ? path : fields.fail(name, 'has to be an absolute path without ".."')
}

export function cpus(fields: Fields): number | null {
  return fields.number('cpus', { min: 0.01, max: 1024 }) ?? null
}

/**
 * Returns a healthcheck, whose table is missing or has Harbor's fields, with Harbor's defaults.
 *
 * @param names the names of the fields, which differ between formats by the unit at their end
 */
export function healthcheck(fields: Fields, unit: '_sec' | '_s'): TaskHealthcheck | null {
  if (!fields.has('healthcheck')) return null
  const table = fields.table('healthcheck')
  const names = ['interval', 'timeout', 'start_period', 'start_interval'].map((name) => name + unit)
  if (unit === '_s') table.refuseOthers(['command', 'retries', ...names])
  return {
    command: table.text('command') || table.fail('command', 'is missing'),
    intervalMs: table.seconds(`interval${unit}`, { min: 0 }) ?? 5000,
    timeoutMs: table.seconds(`timeout${unit}`) ?? 30_000,
    startPeriodMs: table.seconds(`start_period${unit}`, { min: 0 }) ?? 0,
    startIntervalMs: table.seconds(`start_interval${unit}`, { min: 0 }) ?? 5000,
    retries: Math.ceil(table.number('retries', { min: 1, max: 10_000 }) ?? 3),
  }
}

/** Refuses a network that this server cannot enforce: addresses are filtered, and names of hosts have many of them. */
export function refuseAllowlist(fields: Fields, name: string): Exclude<TaskNetwork, object> {
  return fields.fail(name, 'asks for a list of allowed hosts, which this server cannot enforce')
}
