/**
 * What Carrel runs on the host. A need is met by its first choice; a later choice stands in for it. One with a `loss`
 * is a comfort: Carrel runs without it, and says so.
 * @typedef {{ package: string, programs: string[], loss?: string }} Choice `loss`: what this choice costs
 * @typedef {{ choices: [Choice, ...Choice[]], loss?: string }} Need `loss`: what is lost when no choice is there
 */

/** Packages by their Debian names, each with the programs that are looked for. @type {Need[]} */
export const hostNeeds = [
  {
    choices: [
      { package: 'crun', programs: ['crun'] },
      { package: 'runc', programs: ['runc'], loss: 'Without crun, runc starts computers, in about twice the time.' },
    ],
  },
  { choices: [{ package: 'catatonit', programs: ['catatonit'] }] },
  { choices: [{ package: 'nftables', programs: ['nft'] }] },
  { choices: [{ package: 'iproute2', programs: ['ip'] }] },
  { choices: [{ package: 'mmdebstrap', programs: ['mmdebstrap'] }] },
  { choices: [{ package: 'util-linux', programs: ['unshare', 'nsenter', 'setpriv'] }] },
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
    loss: 'Without skopeo, images can not be imported from registries.',
  },
  {
    choices: [{ package: 'umoci', programs: ['umoci'] }],
    loss: 'Without umoci, images can not be imported from registries.',
  },
  { choices: [{ package: 'git', programs: ['git'] }], loss: 'Without git, image recipes can not fetch sources.' },
  { choices: [{ package: 'curl', programs: ['curl'] }], loss: 'Without curl, image recipes can not fetch files.' },
]

/**
 * How far a host meets the needs.
 * @param {Need[]} needs
 * @param {(program: string) => boolean} hasProgram
 * @returns {{ wanted: string[], missing: Need[], losses: string[] }} `wanted`: packages that would better it;
 *   `missing`: needs that must be met and are not; `losses`: what is lost as it is
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
 * The packages to install out of those that can be had: for each need that is not met by its first choice, the
 * first choice to be had, but none that only stands in where something already does.
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
