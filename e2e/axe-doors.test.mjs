// What no link of the console leads to: the ways in (invitations, new passwords, second factors) in each of their
// states, and the desk at work. Axe finds nothing serious there either, narrow and dark, wide and light.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { CLIENT, DEMO_PASSWORD, check, look } from './axe.mjs'
import { eventually, labelled, signIn, startAce, startBrowser } from './harness.mjs'
import { openEach } from './overlays.mjs'

const ADMIN = 'ada@ace.example'

let server, browser
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

/** The code an authenticator app shows for a key. */
function codeOf(key) {
  const bits = [...key.replaceAll(' ', '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const digest = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))).update(step).digest()
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** The link of this kind that was last mailed to somebody, from the sandbox. */
async function mailed(admin, to, kind) {
  return eventually(`a ${kind} mailed to ${to}`, async () => {
    await admin.goto(`/sandbox?channel=email&person=${encodeURIComponent(to)}`)
    const links = await admin.$$eval(`.device-text a[href*="/${kind}/"]`, (all) => all.map((link) => link.pathname))
    return links.length > 0 && (await admin.locator('.device-head').innerText()).includes(to) && links.at(-1)
  })
}

/** Presses a button that sends a form as it is, whatever its fields ask for. */
async function press(page, name) {
  await page.evaluate(() => [...document.forms].forEach((form) => (form.noValidate = true)))
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name, exact: true }).last().click()])
}

for (const [width, dark, developer] of [[1440, false, 'devika@acme-roofing.example'], [390, true, 'theo@corner-auto.example']]) {
  describe(`nothing serious at ${width} px, ${dark ? 'dark' : 'light'}`, () => {
    const open = () => browser.page(server.base, { width, dark })
    /** Finds nothing on the page that is open, which must be the one that is meant. */
    const fine = async (page, name, sign) => {
      await page.getByText(sign).first().waitFor()
      const findings = []
      await check(page, name, findings)
      assert.deepEqual(findings, [])
    }
    let admin
    before(async () => {
      admin = await open()
      await signIn(admin, ADMIN, DEMO_PASSWORD)
    })

    test('an invitation: to a stranger, with mistakes, taken back, to somebody with an account, used', async () => {
      const invite = async (email, role) => {
        await admin.goto(`/${CLIENT}/team`)
        await labelled(admin, 'E-mail').fill(email)
        await labelled(admin, 'Role').selectOption(role)
        await press(admin, 'Invite')
        await fine(admin, 'the team with an invitation', 'The invitation is on its way')
        return new URL(await admin.locator('.panel .code code').first().innerText()).pathname
      }
      await admin.goto(`/${CLIENT}/team`)
      await press(admin, 'Invite')
      await fine(admin, 'the team with mistakes', 'to mend')
      const link = await invite(`new-${width}@example.com`, 'developer')
      const stranger = await open()
      await stranger.goto(await mailed(admin, `new-${width}@example.com`, 'invitations'))
      await fine(stranger, 'an invitation', 'invites')
      await labelled(stranger, 'Password').fill('short')
      await press(stranger, 'Join')
      await fine(stranger, 'an invitation with mistakes', 'to mend')
      await stranger.goto(link)
      await fine(stranger, 'an invitation that was handed over', 'Send me the link')
      await press(stranger, 'Send me the link')
      await fine(stranger, 'an invitation on its way', 'We sent a link')
      await admin.goto(`/${CLIENT}/team`)
      const taken = admin.getByRole('row', { name: `new-${width}@example.com` }).getByRole('button', { name: 'Revoke' })
      await Promise.all([admin.waitForEvent('load'), taken.click()])
      await stranger.goto(link)
      await fine(stranger, 'an invitation taken back', 'was taken back')

      const [known, own] = dark ? ['bea@bright-dental.example', 'company_owner'] : ['ruth@bright-dental.example', 'call_center']
      const other = await invite(known, 'developer')
      await stranger.goto(other)
      await fine(stranger, 'an invitation to an account', 'There is an account')
      await signIn(stranger, known, DEMO_PASSWORD)
      await stranger.goto(other)
      await press(stranger, 'Join')
      await fine(stranger, 'an invitation to another role', 'other roles than the one offered')
      const good = await invite(known, own)
      await stranger.goto(good)
      await fine(stranger, 'an invitation, signed in', 'Join')
      await press(stranger, 'Join')
      await stranger.goto(good)
      await fine(stranger, 'an invitation that was used', 'was used already')
    })

    test('a new password: asked for, sent, the link, with mistakes, over', async () => {
      const page = await open()
      await page.goto('/forgot')
      await press(page, 'Send the link')
      await fine(page, 'a forgotten password with mistakes', 'to mend')
      const email = dark ? 'cal@acme-roofing.example' : 'sam@corner-auto.example'
      await labelled(page, 'E-mail').fill(email)
      await press(page, 'Send the link')
      await fine(page, 'a forgotten password, sent', 'a link is on its way')
      await page.goto(await mailed(admin, email, 'reset'))
      await fine(admin, 'the sandbox with a reset', 'Set a new password')
      await fine(page, 'a reset link', 'All sessions of this account end')
      await labelled(page, 'New password').fill('short')
      await press(page, 'Set password')
      await fine(page, 'a reset link with mistakes', 'to mend')
      await page.goto('/reset/nobody-was-sent-this-link')
      await fine(page, 'a reset link that is over', 'Ask for a new link')
    })

    test('signing in with mistakes; a second factor: its key, its codes, turned on, asked for, wrong', async () => {
      const page = await open()
      await page.goto('/sign-in')
      await labelled(page, 'E-mail').fill(developer)
      await press(page, 'Sign in')
      await fine(page, 'signing in with mistakes', 'to mend')
      await signIn(page, developer, DEMO_PASSWORD)
      await page.goto('/account/second-factor')
      const key = await page.locator('p.font-mono').innerText()
      await labelled(page, 'Present password').fill(DEMO_PASSWORD)
      await labelled(page, 'The code the app shows').fill('000000')
      await press(page, 'Turn on')
      await fine(page, 'a second factor with a mistake', 'to mend')
      await labelled(page, 'Present password').fill(DEMO_PASSWORD)
      await labelled(page, 'The code the app shows').fill(codeOf(key))
      await press(page, 'Turn on')
      await fine(page, 'recovery codes', 'Keep these codes now')
      await page.goto('/account/second-factor')
      await fine(page, 'a second factor that is on', 'of your recovery codes')
      const [opened, findings] = [new Set(), []]
      await openEach(page, 'second factor', opened, new Set(), findings)
      assert.ok(opened.has('second factor question: Turn off'), [...opened].join('; '))
      assert.deepEqual(findings, [])

      const other = await open()
      await other.goto('/sign-in')
      await labelled(other, 'E-mail').fill(developer)
      await labelled(other, 'Password').fill(DEMO_PASSWORD)
      await press(other, 'Sign in')
      await other.waitForURL('**/sign-in/code')
      await fine(other, 'the code of a second factor', 'Code')
      await labelled(other, 'Code').fill('000000')
      await press(other, 'Sign in')
      await fine(other, 'a wrong code', 'to mend')
    })

    test('the desk: nobody, several, a wrong code, a caller, mistakes, what ends a call', async () => {
      const page = await open()
      await signIn(page, 'carla@acme-roofing.example', DEMO_PASSWORD)
      const [opened, findings] = [new Set(), []]
      const recipients = `from recipients r join campaigns c on c.id = r.campaign_id join clients k on k.id = c.client_id where k.slug = '${CLIENT}'`
      const { id, code } = JSON.parse(server.query(`select json_build_object('id', r.id, 'code', r.redemption_code) ${recipients}
        and c.status = 'active' and not exists (select from call_conditions_met m where m.recipient_id = r.id) order by r.id limit 1`))
      // one who fits is opened at once: a name that several have
      const name = server.query(`select r.last_name ${recipients} group by 1 order by count(*) desc limit 1`)
      await look(page, `/${CLIENT}/desk?q=nobody-has-this-name`, findings)
      await page.getByText('Nobody fits').waitFor()
      await look(page, `/${CLIENT}/desk?q=${encodeURIComponent(name)}`, findings)
      await page.getByText(/\d found/).waitFor()
      await look(page, `/${CLIENT}/desk?code=AAAA-AAAA-AAAA`, findings)
      await page.locator('.error').first().waitFor()
      await look(page, `/${CLIENT}/desk?code=${code}`, findings)
      assert.ok(page.url().includes(id), 'a code opens its caller')
      await openEach(page, 'desk', opened, new Set(), findings)
      assert.ok(opened.has('desk question: Do not call again'), [...opened].join('; '))
      // no box is ticked, so nothing is confirmed
      await page.getByRole('button', { name: /^Confirm/ }).first().click()
      await page.locator('[data-problems]').waitFor()
      await check(page, 'the desk with a mistake', findings)
      await page.locator('button[name="disposition"]:not([data-variant="danger"])').first().click()
      await page.getByText(/Ended as|Ready for the next caller/).first().waitFor()
      await check(page, 'the desk after a call', findings)
      assert.deepEqual(findings, [])
    })
  })
}

test('axe does find what is wrong: a field without a label, text that is too pale, a page too wide', async () => {
  const page = await browser.page(server.base)
  await page.goto('/forgot')
  await page.evaluate(() => {
    document.querySelector('label').remove()
    document.querySelector('h1').style.cssText = 'color: #ccc; background: #fff; width: 3000px'
  })
  const findings = []
  await check(page, 'spoilt', findings)
  assert.deepEqual(findings.map((finding) => finding.match(/label|color-contrast|wider/)?.[0]).sort(), ['color-contrast', 'label', 'wider'])
})

test('no page complained in its console or asked another host', () => assert.deepEqual(browser.complaints, []))
