// Every page of the console and of the recipients, in both widths and both themes: axe finds nothing serious, nothing
// is wider than the window, and nothing is loaded from elsewhere.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { overflows, shoot, signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PAGES = [
  '/', '/account', '/help', '/help/campaigns', '/sandbox', '/admin/organizations', '/admin/users', '/admin/permissions', '/admin/audit',
  '/admin/jobs', '/admin/brands', '/nowhere-at-all',
  ...['home', 'contacts', 'contacts/new', 'lists', 'lists/new', 'imports', 'imports/new', 'campaigns', 'campaigns/new', 'templates',
    'templates/new', 'landing-pages', 'landing-pages/new', 'forms', 'forms/new', 'pools', 'pools/new', 'deliveries', 'credits', 'desk',
    'calls', 'numbers', 'api-keys', 'settings', 'team', 'search?q=maria'].map((path) => `/acme-roofing/${path}`),
]

let server, browser, world
before(async () => {
  server = await startAce()
  browser = await startBrowser()
  world = await seed(server)
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

async function serious(page) {
  // The page's policy forbids injected scripts; evaluating through the browser's own door is not the page's doing.
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`)
}

for (const [width, dark] of [[1440, false], [390, true]]) {
  test(`every page at ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
    const stranger = await browser.page(server.base, { width, height: 900, dark })
    const findings = []
    const look = async (page, path) => {
      const answer = await page.goto(path)
      if (answer.status() >= 500) findings.push(`${path} answers ${answer.status()}`)
      for (const finding of await serious(page)) findings.push(`${path}: ${finding}`)
      if (await overflows(page)) findings.push(`${path} is wider than the window`)
    }
    for (const path of ['/sign-in', '/forgot', '/r/AAAAAAAAAA']) await look(stranger, path)
    const page = await browser.page(server.base, { width, height: 900, dark })
    await signIn(page, world.people.admin)
    for (const path of PAGES) await look(page, path)
    await page.goto('/acme-roofing/home')
    await shoot(page, `home-${width}`)
    assert.deepEqual(findings, [])
    assert.deepEqual(browser.complaints, [])
  })
}
