import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The build is committed, so it must come out the same everywhere: no dates, no paths, no inlined assets
// (the content policy allows no inline script or style).
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../src/penstock/serve/static',
    emptyOutDir: true,
    // not "assets": that is where the pages of the inventory's assets are
    assetsDir: '_static',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    sourcemap: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8420' } },
});
