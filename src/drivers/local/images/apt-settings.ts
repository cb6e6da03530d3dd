import { run } from '../system/run.ts'

/**
 * How the host's apt reaches its sources, in apt.conf(5) form. `download` is for the build on the host, proxies
 * included; `guest` is what stays in the image: no proxy, which may hold a password and is out of a guest's reach.
 */
export async function readAptSettings(): Promise<{ download: string; guest: string }> {
  return splitAptSettings(await run('apt-config', ['dump']))
}

export function splitAptSettings(dump: string): { download: string; guest: string } {
  const lines = dump.split('\n').filter((line) => !line.endsWith(' "";'))
  const guest = lines.filter((line) => sourceSetting.test(line))
  const download = lines.filter((line) => sourceSetting.test(line) || connectionSetting.test(line))
  return {
    download: join([...download, 'Acquire::Languages "none";']),
    guest: join([...guest, 'Acquire::Languages "none";']),
  }
}

function join(lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** What is true of the sources themselves, wherever they are read from. */
const sourceSetting = /^Acquire::(Check-Valid-Until|Check-Date|Max-ValidTime|Min-ValidTime|By-Hash)\b/
const connectionSetting = /^Acquire::(https?|ftp|socks5?h?|Retries|ForceIPv[46]|Queue-Mode)\b/
