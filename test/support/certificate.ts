/** A certificate for 127.0.0.1 that openssl makes for one test. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface TestCertificate {
  readonly certPath: string
  readonly keyPath: string
  readonly cert: Buffer
}

/** Makes it in the folder; or says why that is not possible here: the reason to skip a test with. */
export function makeCertificate(folder: string): TestCertificate | { readonly missing: string } {
  const [certPath, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const { status } = spawnSync('openssl', ['req', ...made, ...subject, '-keyout', keyPath, '-out', certPath])
  if (status !== 0) return { missing: 'no openssl to make a certificate with' }
  return { certPath, keyPath, cert: readFileSync(certPath) }
}
