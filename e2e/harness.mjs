// Starts a real ACE on a database of its own and a real browser, and gives both to a test.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'
import { PASSWORD } from './server.mjs'

export { PASSWORD, startAce } from './server.mjs'
export const OUTPUT = resolve('output')

// Chromium tries to reach its maker at every start; nothing here may leave the machine.
const BROWSER_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

/** A browser that collects what no page may do: errors in its console, refused loads, requests to other hosts. */
export async function startBrowser() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: BROWSER_FLAGS })
  const complaints = []
  const page = async (base, { width = 1440, height = 900, dark = false, javaScript = true } = {}) => {
    // a person's browser: ACE takes a headless one for the program that it is
    const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version()} Safari/537.36`
    const context = await browser.newContext({ userAgent,
      viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', javaScriptEnabled: javaScript, baseURL: base,
      // nothing here is measured half-way between two looks
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(15_000)
    const opened = await context.newPage()
    opened.on('pageerror', (error) => complaints.push(`${opened.url()}: ${error}`))
    opened.on('console', (message) => {
      // A form that comes back with its errors, or a page that is refused, is an answer the test asks for.
      const expected = /status of (401|403|404|409|410|422|429)/.test(message.text())
      if (message.type() === 'error' && !expected) complaints.push(`${opened.url()}: ${message.text()}`)
    })
    opened.on('request', (request) => {
      const { protocol, origin } = new URL(request.url())
      if (protocol.startsWith('http') && origin !== base) complaints.push(`${opened.url()} asked another host: ${request.url()}`)
    })
    return opened
  }
  return { page, complaints, stop: () => browser.close() }
}

/** The control with just this label; a required one carries a star. */
export const labelled = (page, label) => page.getByLabel(new RegExp(`^${label}\\s*\\*?$`))

/** Signs somebody in through the sign-in page. */
export async function signIn(page, email, password = PASSWORD) {
  await page.goto('/sign-in')
  await page.getByLabel('E-mail').fill(email)
  await labelled(page, 'Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
}

/** Waits until nothing on the page is under way: fonts, htmx's requests and swaps, animations that end. */
export async function settled(page) {
  await page.evaluate(() => document.fonts.ready.then(() => true))
  await page.waitForFunction(() =>
    !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')
    && document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity))
}

/** Waits until `holds` answers something true, asking again and again; answers that. For what the server does by itself. */
export async function eventually(what, holds) {
  for (let tries = 0; tries < 150; tries++) {
    const found = await holds()
    if (found) return found
    await new Promise((done) => setTimeout(done, 200))
  }
  throw new Error(`not within half a minute: ${what}`)
}

/** Opens a page again and again until it holds `locator`, for pages that do not look for news by themselves. */
export const reloadUntil = (page, path, locator) => eventually(`${locator} on ${path}`, async () => {
  await page.goto(path)
  return await locator.count() > 0
})

/** A screenshot in e2e/output, for people. */
export async function shoot(page, name) {
  await settled(page)
  mkdirSync(OUTPUT, { recursive: true })
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true })
}

/** Whether the page is wider than its window. */
export async function overflows(page) {
  await settled(page)
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1)
}
