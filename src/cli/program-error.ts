/** Reasons of GNU programs, in the words of this program. */
const reasons: Record<string, string> = {
  'Is a directory': 'it is a folder',
  'Not a directory': 'a part of the path is not a folder',
  'No such file or directory': 'it does not exist',
  'File exists': 'it exists already',
  'Directory not empty': 'the folder is not empty',
  'Permission denied': 'permission denied',
  'Read-only file system': 'the file system is read-only',
  'No space left on device': 'the disk is full',
  'Disk quota exceeded': 'the disk is full',
}

/** Refusals of `rm` that have another form, and what they mean. */
const refusals: [form: RegExp, reason: string][] = [
  [/^it is dangerous to operate recursively on '([^']*)'/, 'it is the root folder'],
  [/^refusing to remove '\.' or '\.\.' directory: skipping '([^']*)'$/, 'a path to delete cannot end in "." or ".."'],
]
/** The advice of `rm` about an option that this program does not have. */
const failsafe = /^rm: use --no-preserve-root/

/**
 * Returns the first error that a program such as `rm` has printed, with the path in double quotes, and how many more
 * there are. `advice` maps reasons to what replaces them. Text of another form is returned as it is.
 */
export function programError(stderr: string, advice: Record<string, string> = {}): string {
  const lines = stderr.trim().split('\n')
  const [first = '', ...others] = lines.filter((line) => !failsafe.test(line))
  const text = first.replace(/^\S*: ?/, '')
  const [, action = '', path = '', reason = ''] = /^(.+?) ['‘]([^'‘’]*)['’]: ([^:]+)$/.exec(text) ?? []
  const spoken = reason && `${action} "${path}": ${advice[reason] ?? reasons[reason] ?? reason}`
  const refused = refusals.map(([form, reason]) => ({ path: form.exec(text)?.[1], reason }))
  const refusal = refused.find(({ path }) => path !== undefined)
  const more = text !== '' && others.length > 0 ? ` (and ${others.length} more)` : ''
  return capitalized(refusal ? `cannot remove "${refusal.path}": ${refusal.reason}` : spoken || text) + more
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
