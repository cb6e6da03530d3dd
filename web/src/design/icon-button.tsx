import type { ButtonHTMLAttributes } from 'react'
import { Icon, type IconName } from './icon.tsx'

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName
  /** What the button does, for screen readers and as its tooltip. */
  label: string
  pressed?: boolean | undefined
}

/** A button that shows a drawing alone. */
export function IconButton({ icon, label, pressed, className = '', ...rest }: Props) {
  return (
    <button
      type="button"
      className={`icon-button ${className}`}
      aria-label={label}
      aria-pressed={pressed}
      title={label}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  )
}
