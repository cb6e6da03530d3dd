import { extname } from 'node:path'
import mime from 'mime'

/**
 * Returns the `Content-Type` of a file by its name. Text is sent as UTF-8, which nearly all text in a sandbox is.
 * Source code is sent as plain text: the registry knows few of its extensions, and takes some for video.
 */
export function contentTypeOf(name: string): string {
  const extension = extname(name).slice(1).toLowerCase()
  const isSource = sourceExtensions.has(extension) || (extension === '' && sourceNames.has(name.toLowerCase()))
  const type = isSource ? 'text/plain' : (mime.getType(name) ?? 'application/octet-stream')
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

const words = (text: string) => new Set(text.split(' '))

const sourceExtensions = words(
  'bash bat c cc cfg clj conf cpp cs cxx dart diff dockerfile env ex exs f90 fish go gradle graphql h hpp hs ini java jl ' +
    'kt kts less lock log lua m mm nim patch php pl proto properties ps1 py pyi r rb rs rst sass scala scss sh sol sql ' +
    'svelte swift tex tf toml ts tsx jsx v vue zig zsh',
)
const sourceNames = words(
  'makefile dockerfile license readme .bashrc .profile .bash_profile .zshrc .gitignore .gitattributes .env .editorconfig',
)
