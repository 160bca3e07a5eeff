import { defineConfig } from 'vite'

/** While working on the UI with `vite web`, API calls go to the server at `CLEW_URL`. */
const server = process.env['CLEW_URL'] ?? 'http://127.0.0.1:7070'

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2024', reportCompressedSize: true },
  worker: { format: 'es' },
  server: { proxy: { '/api': server } },
})
