/** A failed file operation, with the name that Linux has for it: `ENOENT`, `ENOTDIR` and so on. */
export class FileSystemError extends Error {
  readonly code: string

  constructor(code: keyof typeof sentences) {
    super(sentences[code])
    this.code = code
  }
}

/** What standard programs print for each error. */
const sentences = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EEXIST: 'File exists',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOTEMPTY: 'Directory not empty',
  EINVAL: 'Invalid argument',
  EBUSY: 'Device or resource busy',
  ENXIO: 'No such device or address',
  EDQUOT: 'Disk quota exceeded',
}
