#!/usr/bin/env node
/**
 * The entry. It checks what must hold before anything else is loaded, so it imports nothing statically: an older Node would
 * fail on the first import with a message that helps nobody.
 */
const nodeMajorMin = 24

if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
  process.stderr.write(
    `cannot run clew on Node ${process.versions.node}: it needs Node ${nodeMajorMin} or newer; ` +
      'in a checkout use `npm start`, which brings its own, or install one from https://nodejs.org\n',
  )
  process.exitCode = 1
} else {
  // Read once, when the pool starts. A file on a slow disk holds a thread; the engine has its own (engine-process.ts).
  process.env.UV_THREADPOOL_SIZE ??= '8'
  if (process.argv[2] === 'serve') {
    const { applyMemorySettings } = await import('./memory-settings.ts')
    applyMemorySettings()
  }
  const { runProgram } = await import('./cli/program.ts')
  // Loaded only when asked for, as the engine takes half a second and commands such as `clew traces` do without it.
  process.exitCode = await runProgram(
    process.argv,
    async (config) => (await import('./server.ts')).serve(config),
    async (config) => (await import('./config-check.ts')).checkConfig(config),
  )
}
