/* global boot, module -- both are arguments: this text is the body of a function in the kernel, which has acorn there */

/**
 * Returns code that a script in the global scope can run in place of `given`, so that names can be declared again, and
 * `await` and `import` may stand at the top level. Nothing moves to another line.
 *
 * `names` are the names that the code assigns to. `problem` is set when acorn cannot parse the code, which then stays
 * as it is.
 */
function prepare(given) {
  const code = given.replace(/^#!/, '//')
  const literal = /^\s*\{/.test(code) && !/;\s*$/.test(code) ? `(${code}\n)` : undefined
  const parsed = (literal !== undefined && parse(literal)) || { code, offset: 0 }
  try {
    parsed.program ??= acornOf(code)
  } catch (problem) {
    return { code, columnOffset: 0, names: [], problem }
  }
  const cell = needsFunction(parsed.program) ? asFunction(parsed) : asScript(parsed)
  return { ...cell, columnOffset: parsed.offset - cell.head }
}

function parse(literal) {
  try {
    return { code: literal, program: acornOf(literal), offset: -1 }
  } catch {
    return undefined
  }
}

function acornOf(code) {
  return boot.acorn.parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'script',
    allowAwaitOutsideFunction: true,
    allowImportExportEverywhere: true,
  })
}

const childrenOf = (node) =>
  Object.entries(node).flatMap(([key, value]) =>
    [value].flat().flatMap((child) => (typeof child?.type === 'string' ? [[key, child]] : [])),
  )

/** Whether a node has a scope of its own for `await` and variables. */
const hasOwnScope = ({ type }) => /Function|^StaticBlock$/.test(type)

function needsFunction({ body }) {
  return body.some((node) => (node.type === 'VariableDeclaration' && node.kind === 'using') || awaits(node))
}

/** Whether a node contains an `await` or `import` outside functions. */
function awaits(node) {
  if (hasOwnScope(node)) return false
  if (node.type === 'AwaitExpression' || node.type === 'ImportDeclaration') return true
  if (node.await === true || node.kind === 'await using') return true
  return childrenOf(node).some(([, child]) => awaits(child))
}

function asScript({ code, program }) {
  const names = new Set()
  const edits = program.body.flatMap((node) => {
    const { type, kind, start, end, declarations } = node
    if (type === 'ClassDeclaration') {
      names.add(node.id.name)
      return [
        [start, start, `var ${node.id.name} = `],
        [end, end, ';'],
      ]
    }
    if (type !== 'VariableDeclaration') return []
    for (const { id } of declarations) for (const name of namesOf(id)) names.add(name)
    if (kind === 'var') return []
    const unset = declarations.filter(({ init }) => !init).map((node) => [node.end, node.end, ' = undefined'])
    return [[start, start + kind.length, 'var'.padEnd(kind.length)], ...unset, ...closing(code, node, '')]
  })
  return { code: edited(code, edits), head: 0, names: [...names] }
}

/** Rewrites a program as an async function that returns the value that the script would have. */
function asFunction({ code, program }) {
  const names = new Set()
  const functions = program.body.filter(({ type }) => type === 'FunctionDeclaration').map(({ id }) => id.name)
  const isStrict = program.body.some(({ directive }) => directive === 'use strict')
  let result = 'result'
  while (code.includes(result)) result += '_'
  const edits = []
  const visit = (node, parent, counts) => {
    const { type, kind, start, end } = node
    const isTop = parent === program
    if (type === 'VariableDeclaration' && (kind === 'var' || (isTop && /^(let|const)$/.test(kind))))
      assign(code, node, parent, { names, edits })
    else if (type === 'ClassDeclaration' && isTop) {
      names.add(node.id.name)
      edits.push([start, start, `${node.id.name} = `], [end, end, ';'])
    } else if (type === 'ImportDeclaration') edits.push([start, end, dynamicImport(code, node, names)])
    else if (type === 'ExpressionStatement' && counts && node.directive === undefined)
      edits.push([start, start, `${result} = (0, `], ...closing(code, node, ')'))
    else if (isTop && /^(If|For|ForIn|ForOf|While|DoWhile|Switch|Try|With)Statement$/.test(type))
      edits.push([start, start, `${result} = undefined; `])
    // Statements in `finally` do not count for the value.
    for (const [key, child] of childrenOf(node))
      if (!hasOwnScope(child)) visit(child, node, counts && key !== 'finalizer')
  }
  visit(program, undefined, true)
  const declared = names.size > 0 ? `var ${[...names].join(', ')}; ` : ''
  const shared = functions.map((name) => `globalThis.${name} = ${name}; `).join('')
  const head = `${isStrict ? '"use strict"; ' : ''}${declared}(async () => { let ${result}; ${shared}`
  return {
    code: `${head}${edited(code, edits)}\nreturn ${result} })()`,
    head: head.length,
    names: [...names, ...functions],
  }
}

/** Rewrites a declaration as assignments to global names. */
function assign(code, node, parent, { names, edits }) {
  const { start, kind, declarations } = node
  for (const { id } of declarations) for (const name of namesOf(id)) names.add(name)
  const kindEnd = start + kind.length
  if (/^For(In|Of)Statement$/.test(parent.type)) return edits.push([start, kindEnd, ' '.repeat(kind.length)])
  edits.push([start, kindEnd, 'void ('])
  for (const { start, end, init } of declarations)
    // A `var` that exists already keeps its value.
    edits.push([start, start, '('], [end, end, init || kind === 'var' ? ')' : ' = undefined)'])
  if (parent.type === 'ForStatement') edits.push([node.end, node.end, ')'])
  else edits.push(...closing(code, node, ')'))
}

/**
 * Ends a statement explicitly, even one that its line end would end: the inserted text could continue on the next line.
 */
function closing(code, { end }, text) {
  return code[end - 1] === ';' ? [[end - 1, end - 1, text]] : [[end, end, `${text};`]]
}

function namesOf(pattern) {
  if (!pattern) return []
  if (pattern.type === 'Identifier') return [pattern.name]
  if (pattern.type === 'ObjectPattern')
    return pattern.properties.flatMap(({ value, argument }) => namesOf(value ?? argument))
  if (pattern.type === 'ArrayPattern') return pattern.elements.flatMap(namesOf)
  return namesOf(pattern.left ?? pattern.argument)
}

function dynamicImport(code, { source, specifiers, start, end, attributes = [] }, names) {
  for (const { local } of specifiers) names.add(local.name)
  const options = attributes.map(({ key, value }) => `${code.slice(key.start, key.end)}: ${value.raw}`)
  const call = `await import(${source.raw}${options.length > 0 ? `, { with: { ${options.join(', ')} } }` : ''})`
  const whole = specifiers.find(({ type }) => type === 'ImportNamespaceSpecifier')
  const parts = specifiers
    .filter((specifier) => specifier !== whole)
    .map(({ imported, local }) => `${imported?.raw ?? imported?.name ?? 'default'}: ${local.name}`)
  const loaded = whole ? `(${whole.local.name} = ${call})` : call
  const lines = '\n'.repeat(code.slice(start, end).split('\n').length - 1)
  return `void ({ ${parts.join(', ')} } = ${loaded});${lines}`
}

/** Applies edits to the code. Edits at the same position stay in their order. */
function edited(code, edits) {
  let text = ''
  let position = 0
  for (const [start, end, replacement] of edits.toSorted(([a], [b]) => a - b)) {
    text += code.slice(position, start) + replacement
    position = end
  }
  return text + code.slice(position)
}

module.exports = { prepare }
