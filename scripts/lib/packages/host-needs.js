/**
 * Programs that Carrel runs on the host. The first choice of a need is the best, and later choices replace it. A need
 * with a `loss` is optional: Carrel runs without it and says so.
 * @typedef {{ package: string, programs: string[], loss?: string }} Choice `loss`: the disadvantage of this choice
 * @typedef {{ choices: [Choice, ...Choice[]], loss?: string }} Need `loss`: the disadvantage without any choice
 */

/** Packages by their Debian names, each with the programs that it has to provide. @type {Need[]} */
export const hostNeeds = [
  {
    choices: [
      { package: 'crun', programs: ['crun'] },
      { package: 'runc', programs: ['runc'], loss: 'Without crun, runc starts computers in about twice the time.' },
    ],
  },
  { choices: [{ package: 'catatonit', programs: ['catatonit'] }] },
  { choices: [{ package: 'nftables', programs: ['nft'] }] },
  { choices: [{ package: 'iproute2', programs: ['ip'] }] },
  { choices: [{ package: 'mmdebstrap', programs: ['mmdebstrap'] }] },
  { choices: [{ package: 'util-linux', programs: ['unshare', 'nsenter', 'setpriv', 'prlimit'] }] },
  { choices: [{ package: 'mount', programs: ['mount', 'losetup'] }] },
  { choices: [{ package: 'uidmap', programs: ['newuidmap', 'newgidmap'] }] },
  {
    choices: [{ package: 'btrfs-progs', programs: ['btrfs', 'mkfs.btrfs'] }],
    loss: 'Without btrfs-progs, disk limits are not enforced and snapshots copy every file.',
  },
  {
    choices: [{ package: 'lxcfs', programs: ['lxcfs'] }],
    loss: "Without lxcfs, free and uptime show the host's figures in a computer.",
  },
  {
    choices: [{ package: 'fuse3', programs: ['fusermount3'] }],
    loss: "Without fuse3, lxcfs may be missing, so that free and uptime show the host's figures in a computer.",
  },
  {
    choices: [{ package: 'skopeo', programs: ['skopeo'] }],
    loss: 'Without skopeo, images cannot be imported from registries.',
  },
  {
    choices: [{ package: 'umoci', programs: ['umoci'] }],
    loss: 'Without umoci, images cannot be imported from registries.',
  },
  {
    choices: [{ package: 'ripgrep', programs: ['rg'] }],
    loss: 'Without ripgrep, the files of computers cannot be searched.',
  },
  { choices: [{ package: 'git', programs: ['git'] }], loss: 'Without git, image recipes cannot fetch sources.' },
  { choices: [{ package: 'curl', programs: ['curl'] }], loss: 'Without curl, image recipes cannot fetch files.' },
]

/**
 * Returns to what extent a host meets the needs.
 * @param {Need[]} needs
 * @param {(program: string) => boolean} hasProgram
 * @returns {{ wanted: string[], missing: Need[], losses: string[] }} `wanted`: packages that would improve it;
 *   `missing`: required needs that are not met; `losses`: the current disadvantages
 */
export function assessHost(needs, hasProgram) {
  /** @type {{ wanted: string[], missing: Need[], losses: string[] }} */
  const result = { wanted: [], missing: [], losses: [] }
  for (const need of needs) {
    const index = need.choices.findIndex((choice) => choice.programs.every(hasProgram))
    if (index === 0) continue
    result.wanted.push(need.choices[0].package)
    const loss = index === -1 ? need.loss : need.choices[index]?.loss
    if (loss !== undefined) result.losses.push(loss)
    else if (index === -1) result.missing.push(need)
  }
  return result
}

/**
 * Returns the packages to install: for each need, the first available choice that is better than the choice that is
 * installed.
 * @param {Need[]} needs
 * @param {(program: string) => boolean} hasProgram
 * @param {Set<string>} available
 */
export function choosePackages(needs, hasProgram, available) {
  const chosen = []
  for (const need of needs) {
    for (const choice of need.choices) {
      if (choice.programs.every(hasProgram)) break
      if (!available.has(choice.package)) continue
      chosen.push(choice.package)
      break
    }
  }
  return chosen
}
