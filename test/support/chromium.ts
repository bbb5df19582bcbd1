import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'

/** Where Debian's package `chromium` puts it, and others theirs. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const found = [process.env['SIGNET_TEST_CHROMIUM'] ?? '', ...PLACES].find((place) =>
  existsSync(place),
)

/** What `it` and `describe` take: a reason to skip without Chromium. With CI=true that is a failure instead. */
export const skipWithoutChromium = (): string | false => {
  if (found !== undefined) return false
  const text = 'no Chromium here (Debian: apt-get install chromium; or SIGNET_TEST_CHROMIUM)'
  if (process.env['CI'] === 'true') throw new Error(text)
  console.error(`SKIPPED: ${text}`)
  return text
}

/** A real browser without a window. Call `skipWithoutChromium` before. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: found!,
    // Containers have no user namespaces for its sandbox, and it visits this test alone.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
