import { DirectoryNode, FileNode, SpecialNode } from './file-system/nodes.ts'
import { builtInFile } from './programs/find-program.ts'
import { programs } from './programs/programs.ts'

const root = { mode: 0o755, uid: 0, gid: 0 }
const user = { mode: 0o755, uid: 1000, gid: 1000 }

const files: Record<string, string> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/bash\n',
  '/etc/group': 'root:x:0:\nnode:x:1000:\n',
  '/etc/motd': 'A computer in memory.\n',
}

/** Returns the root of the image: few files, and an executable for each program that this driver has. */
export function makeGuestTree(): DirectoryNode {
  const top = new DirectoryNode(root)
  for (const path of ['/bin', '/dev', '/etc', '/proc', '/root', '/sys', '/usr/bin', '/var/tmp', '/home'])
    make(top, path, root)
  for (const path of ['/home/node', '/workspace']) make(top, path, user)
  make(top, '/tmp', { ...root, mode: 0o1777 })
  for (const [path, text] of Object.entries(files)) putFile(top, path, Buffer.from(text), root)
  putFile(top, '/home/node/.bashrc', Buffer.from('# nothing\n'), user)
  for (const name of Object.keys(programs))
    for (const directory of name === 'sh' || name === 'bash' ? ['/bin', '/usr/bin'] : ['/usr/bin'])
      putFile(top, `${directory}/${name}`, builtInFile(name), root)
  // A computer without an SSH server cannot be connected to.
  putFile(top, '/usr/sbin/sshd', Buffer.from(''), root)
  const devices = make(top, '/dev', root)
  for (const device of ['null', 'zero'] as const) devices.put(device, new SpecialNode(device, { ...root, mode: 0o666 }))
  return top
}

function make(top: DirectoryNode, path: string, attributes: typeof root): DirectoryNode {
  let directory = top
  for (const name of path.split('/').filter(Boolean)) {
    const existing = directory.entries.get(name)
    const made = existing?.kind === 'directory' ? existing : new DirectoryNode(attributes)
    if (!existing) directory.put(name, made)
    directory = made
  }
  return directory
}

function putFile(top: DirectoryNode, path: string, bytes: Buffer, attributes: typeof root): void {
  const isProgram = /\/s?bin\//.test(path)
  const file = new FileNode({ ...attributes, mode: isProgram ? 0o755 : 0o644 })
  file.set(bytes)
  const slash = path.lastIndexOf('/')
  make(top, path.slice(0, slash), attributes).put(path.slice(slash + 1), file)
}
