/** Starts the stores, then the page. */
import './ui/styles'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startLabs } from './store/lab'
import { App } from './ui/App'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App labs={startLabs()} />
  </StrictMode>,
)
