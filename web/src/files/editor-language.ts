import { StreamLanguage, type StreamParser } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { nameOf } from './paths.ts'

type Load = () => Promise<Extension>

const simple =
  (load: () => Promise<StreamParser<unknown>>): Load =>
  async () =>
    StreamLanguage.define(await load())

const javascript =
  (options: { typescript?: boolean; jsx?: boolean }): Load =>
  async () =>
    (await import('@codemirror/lang-javascript')).javascript(options)
const cLike = (name: 'c' | 'cpp' | 'java' | 'csharp' | 'kotlin') =>
  simple(async () => (await import('@codemirror/legacy-modes/mode/clike'))[name])
const shell = simple(async () => (await import('@codemirror/legacy-modes/mode/shell')).shell)
const markdown: Load = async () => (await import('@codemirror/lang-markdown')).markdown()
const html: Load = async () => (await import('@codemirror/lang-html')).html()
const json: Load = async () => (await import('@codemirror/lang-json')).json()
const css: Load = async () => (await import('@codemirror/lang-css')).css()
const python: Load = async () => (await import('@codemirror/lang-python')).python()
const yaml = simple(async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml)
const toml = simple(async () => (await import('@codemirror/legacy-modes/mode/toml')).toml)
const xml = simple(async () => (await import('@codemirror/legacy-modes/mode/xml')).xml)

const byEnding: Record<string, Load> = {
  js: javascript({ jsx: true }),
  mjs: javascript({}),
  cjs: javascript({}),
  jsx: javascript({ jsx: true }),
  ts: javascript({ typescript: true }),
  mts: javascript({ typescript: true }),
  tsx: javascript({ typescript: true, jsx: true }),
  json,
  jsonc: json,
  md: markdown,
  html,
  htm: html,
  vue: html,
  svg: xml,
  xml,
  css,
  scss: css,
  py: python,
  pyi: python,
  sh: shell,
  bash: shell,
  zsh: shell,
  yml: yaml,
  yaml,
  toml,
  ini: simple(async () => (await import('@codemirror/legacy-modes/mode/properties')).properties),
  env: shell,
  go: simple(async () => (await import('@codemirror/legacy-modes/mode/go')).go),
  rs: simple(async () => (await import('@codemirror/legacy-modes/mode/rust')).rust),
  rb: simple(async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby),
  lua: simple(async () => (await import('@codemirror/legacy-modes/mode/lua')).lua),
  pl: simple(async () => (await import('@codemirror/legacy-modes/mode/perl')).perl),
  sql: simple(async () => (await import('@codemirror/legacy-modes/mode/sql')).standardSQL),
  diff: simple(async () => (await import('@codemirror/legacy-modes/mode/diff')).diff),
  patch: simple(async () => (await import('@codemirror/legacy-modes/mode/diff')).diff),
  c: cLike('c'),
  h: cLike('c'),
  cc: cLike('cpp'),
  cpp: cLike('cpp'),
  hpp: cLike('cpp'),
  java: cLike('java'),
  cs: cLike('csharp'),
  kt: cLike('kotlin'),
}

const byName: Record<string, Load> = {
  dockerfile: simple(async () => (await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile),
  '.bashrc': shell,
  '.profile': shell,
}

/** Returns what colours the text of a file, by its name; undefined for plain text. */
export async function languageOf(path: string): Promise<Extension | undefined> {
  const name = nameOf(path).toLowerCase()
  return (byName[name] ?? byEnding[name.slice(name.lastIndexOf('.') + 1)])?.()
}
