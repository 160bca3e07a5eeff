import { defineConfig } from 'vite'

/** `CLEW_URL` names the server that `vite web` passes API calls to while working on the UI. */
const server = process.env['CLEW_URL'] ?? 'http://127.0.0.1:7070'

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2024', reportCompressedSize: true },
  worker: { format: 'es' },
  server: { proxy: { '/api': server } },
})
