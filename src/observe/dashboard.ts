import { readFileSync } from 'node:fs'
import type { AdminRoute } from './admin-server.ts'

/**
 * The page may run its own script and ask this server, nothing else: what a user wrote into an object
 * cannot become code, and no other site can frame it.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const files = [
  { path: '/', file: 'page.html', contentType: 'text/html; charset=utf-8' },
  { path: '/dashboard.js', file: 'page.js', contentType: 'text/javascript; charset=utf-8' },
  { path: '/dashboard.css', file: 'page.css', contentType: 'text/css; charset=utf-8' },
] as const

/** The dashboard: three static files, read once. */
export function dashboardRoutes(): [string, AdminRoute][] {
  return files.map(({ path, file, contentType }) => {
    const body = readFileSync(new URL(`dashboard/${file}`, import.meta.url), 'utf8')
    const headers = { 'Content-Security-Policy': contentSecurityPolicy }
    return [
      path,
      { access: 'private', answer: () => ({ status: 200, contentType, body, headers }) },
    ]
  })
}
