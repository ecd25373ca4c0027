// What the axe tests share: what axe finds on a page, a look at a page, a walk over the console by its own links.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { overflows, settled } from './harness.mjs'
import { openEach } from './overlays.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const CLIENT = 'acme-roofing'
export const DEMO_PASSWORD = 'walk the whole path'

/** The kind of page a path is: its route. */
export const kindOf = (path) => path.split('?')[0]
  .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ':id')
  .replace(/^\/(?!account|admin|help|sandbox|nowhere)[a-z0-9-]+(?=\/)/, '/:client')
  .replace(/\/campaigns\/(?!new$)[a-z0-9-]+/, '/campaigns/:campaign')
  .replace(/^\/help\/.+/, '/help/:topic')
  .replace(/^\/admin\/organizations\/.+/, '/admin/organizations/:org')

/** What is seriously wrong with a page, or with one part of it. */
export async function serious(page, part = null) {
  // The page's policy forbids injected scripts; evaluating through the browser's own door is not the page's doing.
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(AXE)
  // A colour on its way to another, or on a part that is being exchanged, is nobody's choice.
  await settled(page)
  // Public pages have an origin of their own, to which their style sheets are another's: axe would fetch them again.
  const options = { resultTypes: ['violations'], preload: false }
  const { violations } = await page.evaluate(([part, options]) => window.axe.run(part ?? document, options), [part, options])
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`)
}

/** Adds what is wrong with the page that is open to `findings`. */
export async function check(page, name, findings) {
  for (const finding of await serious(page)) findings.push(`${name}: ${finding}`)
  if (await overflows(page)) findings.push(`${name} is wider than the window`)
}

/** Opens a page and adds what is wrong with it to `findings`. */
export async function look(page, path, findings, { refused = true } = {}) {
  const answer = await page.goto(path)
  if (answer.status() >= (refused ? 500 : 400)) findings.push(`${path} answers ${answer.status()}`)
  await check(page, path, findings)
}

/** Walks the console by its links from `starts`; `samples` says how many pages of a kind are looked at. What is opened on
    them is added to `opened`; with a `glance` only that is done on each page. Answers the kinds of page that were looked at. */
export async function walk(page, findings, { starts, also = [], samples = () => 1, opened = new Set(), glance = null }) {
  const looked = new Map()
  // each role has a frame of its own
  const frame = new Set()
  const waiting = [...starts, ...also]
  const known = new Set(waiting)
  while (waiting.length > 0) {
    const path = waiting.shift()
    const kind = kindOf(path)
    // What is asked for by hand is an odd case of its kind, and does not stand for it; it may also be refused.
    const odd = also.includes(path)
    if (!odd) {
      const before = looked.get(kind) ?? 0
      if (before >= samples(kind)) continue
      looked.set(kind, before + 1)
    }
    if (glance) {
      await page.goto(path)
      await glance(path)
    } else {
      await look(page, path, findings, { refused: odd })
    }
    const links = await page.$$eval('a[href^="/"]:not([download])', (links) => links.map((link) => link.getAttribute('href')))
    if (!glance) await openEach(page, kind, opened, frame, findings)
    for (const link of links.map((link) => link.split('#')[0])) {
      // downloads, and pages of recipients and of those who are not signed in, which are looked at elsewhere
      if (known.has(link) || /\/export|\/refused|\/recipients\/[^/]+\/preview|\/remarks|\.(json|css|svg|png)|^\/(r|q|f|p|v1|assets|invitations|reset)\//.test(link)) continue
      known.add(link)
      waiting.push(link)
    }
  }
  return looked
}
