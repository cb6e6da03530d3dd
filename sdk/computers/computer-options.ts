import type { RequestOptions } from '../context.ts'

/** What a call leaves out is as the server has it by default: the smallest preset, or the size of the original. */
export interface ComputerSize {
  /** Such as `ram-4g`. */
  sizePreset?: string | undefined
  memoryMib?: number | undefined
  storageBytes?: number | undefined
}

export interface ComputerNames {
  /** A DNS label, unique in the workspace; made up if left out. */
  handle?: string | undefined
  /** The name for people; default: the handle. */
  displayName?: string | undefined
}

export interface RepeatableOptions extends RequestOptions {
  /** Makes the call safe to repeat: the same key has its effect once. */
  idempotencyKey?: string | undefined
}

interface GuestOptions {
  /** Keys that may sign in by SSH, each a line of `authorized_keys`. */
  authorizedKeys?: string[] | undefined
}

export interface CreateComputerOptions extends RepeatableOptions, ComputerSize, ComputerNames, GuestOptions {
  /** The id of an image, or the name of its recipe or import, such as `base`; default: that of the server. */
  imageId?: string | undefined
}

export interface RestoreOptions extends RepeatableOptions, ComputerSize, ComputerNames, GuestOptions {}

export interface ForkOptions extends RepeatableOptions, ComputerSize, ComputerNames {
  /** How many; default 1. Several get the handle with a number each. */
  count?: number | undefined
}

export interface ResizeOptions extends RepeatableOptions, ComputerSize {}

export interface CapacityOptions extends RequestOptions, ComputerSize {
  /** A computer that would get this size instead of its own. */
  computer?: string | undefined
}

/** Returns the fields of a request that say how large a computer is. */
export function sizeFields({ sizePreset, memoryMib, storageBytes }: ComputerSize) {
  return { size_preset: sizePreset, requested_memory_mib: memoryMib, requested_storage_bytes: storageBytes }
}

/** Returns the fields of a request that say what a new computer is called. */
export function nameFields({ handle, displayName }: ComputerNames) {
  return { handle, display_name: displayName }
}

/** Returns the field of a request that says whose SSH keys open a new computer. */
export function guestField({ authorizedKeys }: GuestOptions) {
  return authorizedKeys === undefined ? {} : { guest: { authorized_keys: authorizedKeys } }
}
