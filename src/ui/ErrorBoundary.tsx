/** Keeps the page from going blank when drawing it fails. Needs nothing but React, so that it cannot fail itself. */
import { Component, type ErrorInfo, type ReactNode } from 'react'

interface ErrorBoundaryState {
  readonly error: unknown
}

export class ErrorBoundary extends Component<{ children: ReactNode }, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null }

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error: error ?? new Error('unknown') }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error('The page could not be drawn.', error, info.componentStack)
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return this.props.children
    return (
      <main role="alert" data-testid="crash" style={{ maxWidth: 560, margin: '12vh auto', padding: 20 }}>
        <h1 style={{ fontSize: 22 }}>The page could not be drawn</h1>
        <p>
          A part of the page failed:{' '}
          <code>{error instanceof Error ? error.message : 'an unknown error'}</code>
        </p>
        <p>
          The run itself is saved by itself after each iteration: reload the page to go on with it. If that
          fails again, start from the default settings.
        </p>
        <p style={{ display: 'flex', gap: 12 }}>
          <button type="button" onClick={() => this.setState({ error: null })}>
            Draw again
          </button>
          <button type="button" onClick={() => window.location.reload()}>
            Reload
          </button>
          <button
            type="button"
            onClick={() => {
              window.location.hash = 'fresh=1'
              window.location.reload()
            }}
          >
            Default settings
          </button>
        </p>
      </main>
    )
  }
}
