import { SetupFailure } from '../setup-failure.js'

/**
 * Returns the manifest of the client package.
 * @param {Record<string, any>} project the project's manifest
 * @param {string[]} packages that the client imports
 */
export function clientManifest({ name, version, license, dependencies }, packages) {
  return {
    name,
    version,
    description: 'The command line and TypeScript SDK of Carrel, a self-hosted server of Linux computers for agents.',
    license,
    type: 'module',
    // AbortSignal.any came with Node 20.3.
    engines: { node: '>=20.3' },
    bin: { carrel: 'dist/src/cli/main.js', ppod: 'dist/src/cli/ppod.js' },
    main: './dist/sdk/index.js',
    types: './dist/sdk/index.d.ts',
    exports: {
      '.': { types: './dist/sdk/index.d.ts', default: './dist/sdk/index.js' },
      './package.json': './package.json',
    },
    files: ['dist/**/*.js', 'dist/sdk/**/*.d.ts'],
    dependencies: Object.fromEntries(packages.map((name) => [name, rangeOf(name, dependencies)])),
  }
}

/**
 * @param {string} name
 * @param {Record<string, string>} dependencies
 */
function rangeOf(name, dependencies) {
  const range = dependencies[name]
  if (range !== undefined) return range
  throw new SetupFailure(`Cannot pack the client: it imports "${name}", which is not among the project's dependencies.`)
}
