/** Returns the folder of a path of the workspace; '' is the workspace itself. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** Returns whether a path is another one, or inside it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** Returns what is wrong with the name of a new file or folder; '' if it can be used. */
export function nameProblem(name: string): string {
  if (name === '' || name === '.' || name === '..') return 'Enter a name.'
  if (name.includes('/')) return 'A name has no slash.'
  if (new TextEncoder().encode(name).length > 255) return 'The name is too long.'
  return ''
}
