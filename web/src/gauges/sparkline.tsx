const width = 60
const height = 20

/** A small line of shares from 0 to 1; the newest is at the right. */
export function Sparkline({ history }: { history: readonly number[] }) {
  const x = (index: number) => width - (history.length - 1 - index) * (width / 59)
  const y = (share: number) => height - 1 - share * (height - 2)
  const line = history.map((share, index) => `${x(index).toFixed(1)},${y(share).toFixed(1)}`).join(' ')
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {history.length > 1 && (
        <>
          <polygon points={`${x(0).toFixed(1)},${height} ${line} ${width},${height}`} />
          <polyline points={line} />
        </>
      )}
    </svg>
  )
}
