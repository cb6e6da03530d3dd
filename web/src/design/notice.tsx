import type { ReactNode } from 'react'

interface Props {
  title: string
  children?: ReactNode
  /** The address of a drawing above the title. */
  icon?: string
  /** Whether something else takes its place in a moment. */
  busy?: boolean
}

/** Says, in place of a view, why there is nothing to show and what to do next. */
export function Notice({ title, children, icon, busy = false }: Props) {
  return (
    <section className="notice" role="status" aria-busy={busy}>
      {icon !== undefined && <img src={icon} alt="" width="36" height="36" />}
      <h1>{title}</h1>
      {children}
    </section>
  )
}
