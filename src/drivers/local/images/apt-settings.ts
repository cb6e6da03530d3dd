import { run } from '../system/run.ts'

/**
 * Returns how the host's apt reaches its sources, in apt.conf(5) form. `download` is for the build on the host, and
 * includes proxies. `guest` stays in the image, without proxies: they may contain a password, and guests cannot reach
 * them.
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

/** Settings of the sources themselves, which hold wherever they are read. */
const sourceSetting = /^Acquire::(Check-Valid-Until|Check-Date|Max-ValidTime|Min-ValidTime|By-Hash)\b/
const connectionSetting = /^Acquire::(https?|ftp|socks5?h?|Retries|ForceIPv[46]|Queue-Mode)\b/
