import { CarrelError, type ErrorCode } from '../../errors.ts'
import { quote } from './computer-path.ts'

const reasons: Record<string, [ErrorCode, string]> = {
  ENOENT: ['not_found', 'there is no such file or directory'],
  ENOTDIR: ['not_found', 'a part of the path is not a directory'],
  ELOOP: ['invalid_request', 'its links form a loop or lead out of the file system'],
  EXDEV: ['invalid_request', 'it leads into another file system'],
  ENAMETOOLONG: ['invalid_request', 'a name in it is longer than 255 bytes'],
  EISDIR: ['invalid_request', 'it is a directory'],
  EEXIST: ['already_exists', 'the path exists already'],
  ENOTEMPTY: ['conflict', 'the directory is not empty'],
  EINVAL: ['invalid_request', 'the name cannot be used'],
  ENOSPC: ['disk_full', 'the disk is full'],
  EDQUOT: ['disk_full', 'the disk is full'],
  ENXIO: ['invalid_request', 'it is not a regular file'],
  EACCES: ['forbidden', 'access is denied'],
  EPERM: ['forbidden', 'it cannot be changed'],
  EBUSY: ['conflict', 'it is in use'],
  ETXTBSY: ['conflict', 'a program runs from it'],
  EFBIG: ['too_large', 'the file system has no files of this size'],
}

/** Returns the error for a failed system call on a path. An unknown error is returned as it is. */
export function fileError(action: string, path: string, error: unknown): unknown {
  if (error instanceof CarrelError) return error
  const { code: name = '', errno } = error as NodeJS.ErrnoException
  const known = reasons[errno === -EDQUOT ? 'EDQUOT' : name]
  if (!known) return error
  const [code, why] = known
  return new CarrelError(code, `Cannot ${action} ${quote(path)}: ${why}`, {
    details: { path: path.slice(0, 4096) },
    cause: error,
  })
}

/** libuv has no name for this error, so errors of Node's own functions have only its number. */
const EDQUOT = 122
