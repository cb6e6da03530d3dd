import { useSyncExternalStore } from 'react'

export const viewNames = ['terminal', 'files', 'desktop', 'ports', 'processes'] as const
export type ViewName = (typeof viewNames)[number]

/** Returns the view that the fragment of the address names, the terminal by default. */
export function useRoute(): ViewName {
  const fragment = useSyncExternalStore(watch, () => window.location.hash.slice(1))
  return viewNames.find((name) => name === fragment) ?? 'terminal'
}

function watch(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange)
  return () => window.removeEventListener('hashchange', onChange)
}
