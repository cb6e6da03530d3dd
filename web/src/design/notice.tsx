import type { ReactNode } from 'react'

/** Says, in place of a view, why there is nothing to show and what to do next. */
export function Notice({ title, children, busy = false }: { title: string; children?: ReactNode; busy?: boolean }) {
  return (
    <section className="notice" role="status" aria-busy={busy}>
      <h1>{title}</h1>
      {children}
    </section>
  )
}
