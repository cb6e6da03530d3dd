import type { ITheme } from '@xterm/xterm'

const light: ITheme = {
  background: '#fcfbf8',
  foreground: '#211e19',
  cursor: '#1a6a4f',
  cursorAccent: '#fcfbf8',
  selectionBackground: '#cfe3d8',
  scrollbarSliderBackground: '#928b7e55',
  scrollbarSliderHoverBackground: '#928b7e99',
  scrollbarSliderActiveBackground: '#928b7e',
  black: '#211e19',
  red: '#a32c27',
  green: '#2c6e2f',
  yellow: '#7a4f00',
  blue: '#1d5f9c',
  magenta: '#6b3fa0',
  cyan: '#14686b',
  white: '#645e54',
  brightBlack: '#6f685d',
  brightRed: '#b8322c',
  brightGreen: '#1a6a4f',
  brightYellow: '#855a06',
  brightBlue: '#2769ab',
  brightMagenta: '#7d4fb5',
  brightCyan: '#187377',
  brightWhite: '#211e19',
}

const dark: ITheme = {
  background: '#151412',
  foreground: '#ebe6dc',
  cursor: '#6fcfa8',
  cursorAccent: '#151412',
  selectionBackground: '#34463d',
  scrollbarSliderBackground: '#77706455',
  scrollbarSliderHoverBackground: '#77706499',
  scrollbarSliderActiveBackground: '#777064',
  black: '#302d28',
  red: '#f0908a',
  green: '#93cf83',
  yellow: '#e8bd62',
  blue: '#86b9ea',
  magenta: '#c3a3ef',
  cyan: '#7fd0cf',
  white: '#d3ccbf',
  brightBlack: '#8b8476',
  brightRed: '#f6aaa5',
  brightGreen: '#6fcfa8',
  brightYellow: '#f0cf88',
  brightBlue: '#a6cdf2',
  brightMagenta: '#d4bdf5',
  brightCyan: '#a0dfde',
  brightWhite: '#fbf8f1',
}

const darkScreen = window.matchMedia('(prefers-color-scheme: dark)')

/** Calls `apply` with the theme of the screen, now and after each change. Returns the function that ends it. */
export function withTerminalTheme(apply: (theme: ITheme) => void): () => void {
  const update = () => apply(darkScreen.matches ? dark : light)
  update()
  darkScreen.addEventListener('change', update)
  return () => darkScreen.removeEventListener('change', update)
}
