/** Evaluates the expression in `$(( ))`: whole numbers, variables, assignments, comparisons and the usual operators. */
export function evaluate(expression: string, variables: Variables): number {
  const tokens =
    expression.match(/\d+|[A-Za-z_]\w*|\*\*|<<|>>|[<>=!]=|&&|\|\||\+\+|--|[-+*/%]=|[-+*/%<>=!~&|^?:()]/g) ?? []
  const evaluator = new Evaluator(tokens, variables)
  return tokens.length === 0 ? 0 : evaluator.assignment()
}

interface Variables {
  get: (name: string) => string | undefined
  set: (name: string, value: string) => void
}

const operators: Record<string, (a: number, b: number) => number>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
  },
  { '<<': (a, b) => a << b, '>>': (a, b) => a >> b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
  { '**': (a, b) => a ** b },
]

class Evaluator {
  readonly #tokens: string[]
  readonly #variables: Variables
  #at = 0

  constructor(tokens: string[], variables: Variables) {
    this.#tokens = tokens
    this.#variables = variables
  }

  assignment(): number {
    const [name = '', operator = ''] = this.#tokens.slice(this.#at)
    if (!/^[A-Za-z_]/.test(name) || !/^[-+*/%]?=$/.test(operator)) return this.#condition()
    this.#at += 2
    const given = this.assignment()
    const sign = operator.slice(0, -1)
    const apply = operators.find((level) => level[sign])?.[sign]
    return this.#set(name, apply ? apply(this.#value(name), given) : given)
  }

  #condition(): number {
    const condition = this.#binary(0)
    if (!this.#take('?')) return condition
    const [yes] = [this.assignment(), this.#take(':')]
    const no = this.assignment()
    return condition === 0 ? no : yes
  }

  #binary(level: number): number {
    const known = operators[level]
    if (!known) return this.#unary()
    let left = this.#binary(level + 1)
    for (let apply = known[this.#next]; apply; apply = known[this.#next]) {
      this.#at++
      left = apply(left, this.#binary(level + 1))
    }
    return left
  }

  #unary(): number {
    if (this.#take('-')) return -this.#unary()
    if (this.#take('+')) return this.#unary()
    if (this.#take('!')) return Number(this.#unary() === 0)
    if (this.#take('~')) return ~this.#unary()
    if (this.#take('++')) return this.#change(1)
    if (this.#take('--')) return this.#change(-1)
    if (this.#take('(')) {
      const inside = this.assignment()
      this.#take(')')
      return inside
    }
    const token = this.#tokens[this.#at++] ?? '0'
    if (/^\d/.test(token)) return Number.parseInt(token, /^0\d/.test(token) ? 8 : 10)
    const value = this.#value(token)
    if (this.#take('++')) this.#set(token, value + 1)
    else if (this.#take('--')) this.#set(token, value - 1)
    return value
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? ''
  }

  #take(token: string): boolean {
    if (this.#next !== token) return false
    this.#at++
    return true
  }

  #change(by: number): number {
    const name = this.#tokens[this.#at++] ?? ''
    return this.#set(name, this.#value(name) + by)
  }

  #value(name: string): number {
    return Math.trunc(Number(this.#variables.get(name) || 0)) || 0
  }

  #set(name: string, value: number): number {
    this.#variables.set(name, String(value))
    return value
  }
}
