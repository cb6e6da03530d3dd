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

/** A user namespace and its network namespace, kept by bind mounts, with a link to the host. */
export interface NetworkSlot {
  number: number
  address: string
  userNamespace: string
  networkNamespace: string
}

interface SlotsOptions {
  /** Where namespaces are kept, with a folder for each slot. */
  directory: string
  interfacePrefix: string
  /** First two numbers of the /16 of the addresses. */
  network: string
}

/** Creates and removes slots. The user namespace owns the network namespace, so `/sys` inside shows only that one. */
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

  async create(number: number): Promise<NetworkSlot> {
    const slot = this.describe(number)
    await mkdir(join(this.#options.directory, String(number)), { recursive: true })
    await Promise.all([slot.userNamespace, slot.networkNamespace].map((path) => writeFile(path, '')))
    await this.#createNamespaces(slot)
    return slot
  }

  async remove(number: number): Promise<void> {
    const slot = this.describe(number)
    await run('ip', ['link', 'delete', this.#interface(number)]).catch(() => {})
    for (const path of [slot.networkNamespace, slot.userNamespace]) detach(path)
    await rm(join(this.#options.directory, String(number)), { recursive: true, force: true })
  }

  /** Returns the numbers of slots that have a namespace or a link on this host. */
  async existing(): Promise<number[]> {
    const kept = existsSync(this.#options.directory) ? await readdir(this.#options.directory) : []
    const prefix = this.#options.interfacePrefix
    const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(prefix))
    return [...new Set([...kept.map(Number), ...links.map((name) => Number(name.slice(prefix.length)))])]
  }

  #interface(number: number): string {
    return `${this.#options.interfacePrefix}${number}`
  }

  async #createNamespaces(slot: NetworkSlot): Promise<void> {
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
   * Starts a program in a new user and network namespace, which end with it. Where the host lets only root create user
   * namespaces (`kernel.unprivileged_userns_clone`), root owns them, and computers share what the kernel counts by
   * owner.
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
   * Creates the link. Both ends have static neighbour entries and no ARP: what a computer sends adds no entry to the
   * host's neighbour table, which all namespaces share, and the host's end accepts nothing but IPv4.
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
 * Any user may listen on any port and may ping, as the computer is alone in its namespace. Whatever leaves must go to
 * the gateway: a program can bypass the routes, and each address that it uses as a neighbour would take an entry of the
 * host's table.
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
  // Without free descriptors, the child has no pipes.
  if (holder.pid === undefined) throw (await once(holder, 'error'))[0]
  holder.on('error', () => {})
  holder.stdin.on('error', () => {})
  holder.stdin.write('\n')
  const [began] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')])
  if (!Buffer.isBuffer(began)) throw new CarrelError('internal', 'Cannot create a network namespace: "unshare" failed')
  return holder
}

/** Unmounts everything at a path; servers that were killed can have left several mounts over each other. */
function detach(path: string): void {
  try {
    for (let layer = 0; layer < maxLayers; layer++) call('umount2', path, MNT_DETACH)
  } catch {
    // Nothing is left to unmount.
  }
}

const maxLayers = 100
