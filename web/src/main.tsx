import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ComputerPage } from './computer/computer-page.tsx'
import './design/base.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <ComputerPage />
  </StrictMode>,
)
