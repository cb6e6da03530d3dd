import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { CarrelError, isOutOfDescriptors } from '../../../errors.ts'
import { idMap, namespaceOwner } from '../system/id-map.ts'
import { call, MNT_DETACH, MS_BIND } from '../system/libc.ts'
import { run } from '../system/run.ts'
import { gatewayAddress, hardwareAddresses, slotAddress } from './addresses.ts'

/** A user and a network namespace that belong together, kept by bind mounts, with a link to the host. */
export interface NetworkSlot {
  number: number
  address: string
  userNamespace: string
  networkNamespace: string
}

interface SlotsOptions {
  /** Where namespaces are kept, a folder a slot. */
  directory: string
  interfacePrefix: string
  /** First two numbers of the /16 that addresses are from. */
  network: string
}

/** Makes and removes slots. The network namespace belongs to the user namespace, so `/sys` inside shows it alone. */
export class Slots {
  readonly #options: SlotsOptions
  #isOwnedByRoot = false

  constructor(options: SlotsOptions) {
    this.#options = options
  }

  describe(number: number): NetworkSlot {
    const directory = join(this.#options.directory, String(number))
    return {
      number,
      address: slotAddress(this.#options.network, number),
      userNamespace: join(directory, 'user'),
      networkNamespace: join(directory, 'net'),
    }
  }

  async make(number: number): Promise<NetworkSlot> {
    const slot = this.describe(number)
    await mkdir(join(this.#options.directory, String(number)), { recursive: true })
    await Promise.all([slot.userNamespace, slot.networkNamespace].map((path) => writeFile(path, '')))
    await this.#makeNamespaces(slot)
    return slot
  }

  async remove(number: number): Promise<void> {
    const slot = this.describe(number)
    await run('ip', ['link', 'delete', this.#interface(number)]).catch(() => {})
    for (const path of [slot.networkNamespace, slot.userNamespace]) detach(path)
    await rm(join(this.#options.directory, String(number)), { recursive: true, force: true })
  }

  /** Numbers of which anything is left on this host: a kept namespace or a link. */
  async existing(): Promise<number[]> {
    const kept = existsSync(this.#options.directory) ? await readdir(this.#options.directory) : []
    const prefix = this.#options.interfacePrefix
    const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(prefix))
    return [...new Set([...kept.map(Number), ...links.map((name) => Number(name.slice(prefix.length)))])]
  }

  #interface(number: number): string {
    return `${this.#options.interfacePrefix}${number}`
  }

  async #makeNamespaces(slot: NetworkSlot): Promise<void> {
    const holder = await this.#holdNamespaces(namespaceOwner(slot.address))
    try {
      const map = `0 ${idMap.firstHostId} ${idMap.count}`
      await writeFile(`/proc/${holder.pid}/uid_map`, map)
      await writeFile(`/proc/${holder.pid}/gid_map`, map)
      call('mount', `/proc/${holder.pid}/ns/user`, slot.userNamespace, null, MS_BIND, null)
      call('mount', `/proc/${holder.pid}/ns/net`, slot.networkNamespace, null, MS_BIND, null)
      await this.#link(slot, holder.pid!)
    } finally {
      holder.stdin.end()
    }
  }

  /**
   * A program in a user and a network namespace of its own, which are gone with it. Where the host lets only root make user
   * namespaces (`kernel.unprivileged_userns_clone`), root owns them, and what the kernel counts by owner is counted together.
   */
  async #holdNamespaces(owner: number): Promise<ChildProcessByStdio<Writable, Readable, null>> {
    try {
      return await holdNamespaces(this.#isOwnedByRoot ? 0 : owner)
    } catch (error) {
      if (this.#isOwnedByRoot || isOutOfDescriptors(error)) throw error
      const holder = await holdNamespaces(0)
      this.#isOwnedByRoot = true
      return holder
    }
  }

  /**
   * Both ends know each other and ask nobody: what a computer sends makes no entry in the host's table of neighbours, of
   * which there is one for all namespaces, and what is no IPv4 finds nobody on the host's end.
   */
  async #link(slot: NetworkSlot, holderPid: number): Promise<void> {
    const host = this.#interface(slot.number)
    const hardware = hardwareAddresses(slot.address)
    const outside = [
      `link add ${host} address ${hardware.host} type veth peer name eth0 address ${hardware.computer} netns ${holderPid}`,
      `link set ${host} arp off addrgenmode none`,
      `addr add ${gatewayAddress}/32 dev ${host}`,
      `link set ${host} up`,
      `neigh replace ${slot.address} lladdr ${hardware.computer} dev ${host} nud permanent`,
      `route add ${slot.address}/32 dev ${host}`,
    ]
    const inside = [
      'link set lo up',
      'link set eth0 arp off addrgenmode none',
      `addr add ${slot.address}/32 dev eth0`,
      'link set eth0 up',
      `neigh replace ${gatewayAddress} lladdr ${hardware.host} dev eth0 nud permanent`,
      `route add ${gatewayAddress} dev eth0 scope link`,
      `route add default via ${gatewayAddress}`,
    ]
    await run('ip', ['-batch', '-'], { input: outside.join('\n') })
    withoutIpv6(host)
    await run('nsenter', [`--net=${slot.networkNamespace}`, 'sh', '-c', insideScript], { input: inside.join('\n') })
  }
}

/**
 * Any user may listen on any port and ping: there is nobody else in the namespace. What is to leave it goes to the gateway:
 * a program may send past the routes, and each address that it names as a neighbour would take an entry of the host's table.
 */
const insideScript = `set -e
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
echo ${idMap.firstHostId} ${idMap.firstHostId + idMap.count - 1} > /proc/sys/net/ipv4/ping_group_range
if [ -e /proc/sys/net/ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; fi
nft 'table ip carrel { chain out { type filter hook output priority 0; oifname != "lo" rt nexthop != ${gatewayAddress} drop; }; }'
exec ip -batch -`

function withoutIpv6(link: string): void {
  const setting = `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`
  if (existsSync(setting)) writeFileSync(setting, '1')
}

async function holdNamespaces(owner: number): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  const holder = spawn('unshare', ['--user', '--net', 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    uid: owner,
    gid: owner,
  })
  // Without a free descriptor it has no pipes either.
  if (holder.pid === undefined) throw (await once(holder, 'error'))[0]
  holder.on('error', () => {})
  holder.stdin.on('error', () => {})
  holder.stdin.write('\n')
  const [began] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])
  if (!Buffer.isBuffer(began)) throw new CarrelError('internal', 'Cannot make a network namespace: "unshare" failed')
  return holder
}

/** Whatever is mounted there, also when servers that died have left one over the other. */
function detach(path: string): void {
  try {
    for (let layer = 0; layer < maxLayers; layer++) call('umount2', path, MNT_DETACH)
  } catch {
    // Nothing is mounted there any more.
  }
}

const maxLayers = 100
