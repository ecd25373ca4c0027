// Unpacks the Chromium of the npm package beside this file, and prints its path. The package unpacks into the temporary
// directory and takes what it finds there, so it gets one that is nobody else's, and another for each version.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'))
const directory = join(import.meta.dirname, 'node_modules', `.unpacked-${dependencies['@sparticuz/chromium']}`)
mkdirSync(directory, { recursive: true })
process.env.TMPDIR = directory
const { default: chromium } = await import('@sparticuz/chromium')
console.log(await chromium.executablePath())
