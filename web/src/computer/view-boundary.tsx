import { Component, Suspense, type ReactNode } from 'react'
import { messageOf } from '../api/request.ts'
import { Notice } from '../design/notice.tsx'

/** Shows a view once its code has arrived, and says so where it did not arrive or failed. */
export class ViewBoundary extends Component<{ children: ReactNode }, { failure: unknown }> {
  override state: { failure: unknown } = { failure: undefined }

  static getDerivedStateFromError(failure: unknown) {
    return { failure }
  }

  override render() {
    const { failure } = this.state
    if (failure === undefined)
      return <Suspense fallback={<Notice title="Loading…" busy />}>{this.props.children}</Suspense>
    return (
      <Notice title="This part of the page could not be shown">
        <p>{messageOf(failure)}</p>
        <button type="button" onClick={() => window.location.reload()}>
          Reload the page
        </button>
      </Notice>
    )
  }
}
