// Opens what a page keeps closed (menus, the drawer, folded parts, dialogs, questions, the bar of picked rows), each
// kind once per kind of page, and lets axe look at it open.
import { overflows } from './harness.mjs'
import { serious } from './axe.mjs'

// Those of the frame are the same on every page: once in a walk is enough.
const FRAME = '.topbar, #shortcuts, #palette'

/** Marks what can be opened with `data-opens` and answers it as `{ at, name, frame }`. */
const openers = (page) => page.evaluate((FRAME) => {
  const found = []
  const add = (element, name) => {
    element.dataset.opens = found.length
    found.push({ at: found.length, name, frame: element.closest(FRAME) !== null })
  }
  for (const details of document.querySelectorAll('details:not([open])')) {
    const summary = details.querySelector('summary')
    // the drawer is for narrow windows, the filters of a list may be for wide ones
    if (!summary.checkVisibility()) continue
    const label = (summary.getAttribute('aria-label') ?? summary.textContent).trim().replace(/\d+/, 'n')
    const type = details.dataset.drawer !== undefined ? 'drawer' : details.dataset.menu !== undefined ? 'menu' : 'fold'
    // a menu of one name may ask for other things in the next row
    const holds = [...details.querySelectorAll('form')].map((form) => form.dataset.confirmYes ?? '').join()
    add(details, details.matches('.switcher') ? 'menu: clients' : details.matches('.me') ? 'menu: account' : `${type}: ${label} ${holds}`.trim())
  }
  for (const button of document.querySelectorAll('[popovertarget]')) add(button, `popover: ${button.getAttribute('popovertarget')}`)
  for (const asking of document.querySelectorAll('[data-confirm]')) {
    const button = asking.matches('form') ? asking.querySelector('button:not([type="button"])') : asking
    add(button, `question: ${asking.dataset.confirmYes ?? button.textContent.trim()}`)
  }
  const box = document.querySelector('.pick input[name="ids"]')
  if (box) add(box, 'bar: picked rows')
  if (document.getElementById('shortcuts')) found.push({ name: 'dialog: shortcuts', key: '?', frame: true })
  if (document.getElementById('palette')) found.push({ name: 'dialog: palette', key: 'Control+k', frame: true })
  return found
}, FRAME)

/** Opens one by its own control; answers where what opened is, or nothing when nothing did. */
const open = (page, at) => page.evaluate((at) => {
  const control = document.querySelector(`[data-opens="${at}"]`)
  if (control.matches('details')) {
    control.querySelector('summary').click()
    return control.dataset.drawer !== undefined ? 'body' : control.open && `[data-opens="${at}"]`
  }
  if (control.matches('.pick input')) {
    control.click()
    return control.form.matches('[data-open]') && `#${control.form.id}`
  }
  if (control.hasAttribute('popovertarget')) {
    control.click()
    return document.querySelector(':popover-open') && ':popover-open'
  }
  // The question comes before the form is sent, and must: nothing here may be done.
  control.form.noValidate = true
  control.form.addEventListener('submit', (event) => event.preventDefault(), { once: true })
  // Some ask only where something typed would go: something is typed, and taken back.
  const typed = control.dataset.confirmWhen && control.form.elements[control.dataset.confirmWhen.split(' ')[0]]
  if (typed) typed.value += ' '
  control.click()
  if (typed) typed.value = typed.defaultValue
  return document.querySelector('dialog:modal') && 'dialog:modal'
}, at)

const close = (page) => page.evaluate(() => {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close()
  for (const popover of document.querySelectorAll(':popover-open')) popover.hidePopover()
  for (const details of document.querySelectorAll('details[data-opens][open]')) details.open = false
  for (const bar of document.querySelectorAll('[data-bulk][data-open]')) bar.reset()
})

/** Opens each kind of thing of the page that is open, but nothing twice: what is in `opened`, and of the frame, in
    `seen`. Adds to `findings` what is wrong. */
export async function openEach(page, kind, opened, seen, findings) {
  for (const { at, key, name, frame } of await openers(page)) {
    const known = frame ? name : `${kind} ${name}`
    if ((frame ? seen : opened).has(known)) continue
    seen.add(known)
    opened.add(known)
    if (key) await page.keyboard.press(key)
    const part = key ? await page.evaluate(() => document.querySelector('dialog:modal') && 'dialog:modal') : await open(page, at)
    if (!part) findings.push(`${known} did not open`)
    // the frame's with the page around them, the page's own by themselves
    for (const finding of await serious(page, frame ? null : part)) findings.push(`${known}, open: ${finding}`)
    if (await overflows(page)) findings.push(`${known}, open: wider than the window`)
    await close(page)
  }
}
