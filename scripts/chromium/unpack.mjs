// Unpacks the Chromium of the npm package beside this file, and prints its path.
import chromium from '@sparticuz/chromium'

console.log(await chromium.executablePath())
